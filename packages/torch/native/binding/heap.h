// How the C library's heap treats memory that tensors on the CPU free.
#pragma once

namespace binding {

// Small and middle-sized pieces stay in the heap. For all of the process; what a person has set stays.
void keep_freed_memory();

// From now on, or no longer, pieces of any size do: for a loop that takes the same again in each of its rounds. Calls
// count, and after the last end the heap goes back to the system.
void reuse_memory(bool begin);

}  // namespace binding
