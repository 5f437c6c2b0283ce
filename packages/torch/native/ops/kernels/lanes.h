// Sixteen floats at a time, in the compiler's vector types: the same source becomes AVX-512, AVX2 or NEON code.
// Kernels that use them are compiled once for each kind of x86 processor (`PROMPTLOSS_CLONES`), and the loader takes
// the one for the processor at hand. Where a vector's values stay in variables, as sums do, each_processor.h is the better
// way: what a processor has no register for, the compiler keeps in memory.
#pragma once

#include <cstdint>
#include <cstring>

#include "lanes_common.h"

#if defined(__x86_64__) && defined(__ELF__) && (defined(__GNUC__) || defined(__clang__))
#define PROMPTLOSS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PROMPTLOSS_CLONES
#endif

namespace promptloss {

#define PROMPTLOSS_VECTOR_BYTES 64
#include "lanes_of_width.h"
#undef PROMPTLOSS_VECTOR_BYTES

}  // namespace promptloss
