// Named by c10d's header, which takes nothing of it.
#pragma once
