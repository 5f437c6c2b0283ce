// What the whole process keeps of memory that is free again: the C library's heap, and libtorch's compiled products.
// Nothing here happens on its own: a program asks for it.
#pragma once

namespace binding {

// Small and middle-sized pieces stay in the heap. For all of the process; what a person has set stays.
void keep_freed_memory();

// oneDNN and libtorch keep fewer compiled products. They read this when they are first used; what a person has set stays.
void limit_primitive_caches();

// From now on, or no longer, pieces of any size do: for a loop that takes the same again in each of its rounds. Calls
// count, and after the last end the heap goes back to the system.
void reuse_memory(bool begin);

// From now on, or no longer, pieces of 4 MB and more go back to the system when they are freed, whatever the other two
// say: for a process whose memory matters more than the time that fresh pages take. Calls count.
void return_memory(bool begin);

}  // namespace binding
