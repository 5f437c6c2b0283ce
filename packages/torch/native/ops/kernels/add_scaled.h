// A product in 16 bits added to a sum in 32, in one pass over both.
#pragma once

#include <cstdint>

#include "lanes.h"

namespace promptloss {

/** total += scale · part, or = where `first`. */
void add_scaled(float* total, const BFloat16* part, int64_t count, float scale, bool first);

}  // namespace promptloss
