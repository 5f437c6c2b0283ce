// Compiles the file of kernels that PROMPTLOSS_KERNELS names once for each kind of x86 processor, in a namespace of its own,
// with vectors as wide as its registers: the compiler keeps in memory what no register holds, which costs kernels whose sums
// are vectors most of their speed. `PROMPTLOSS_CHOSEN(f)` is f for the processor at hand. Kernels include nothing: what they
// share with the file that includes them stands before it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "lanes_common.h"
#include "processor.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define PROMPTLOSS_VECTOR_BYTES 64
namespace promptloss {
namespace avx512 {
#include "lanes_of_width.h"
#include PROMPTLOSS_KERNELS
}  // namespace avx512
}  // namespace promptloss
#undef PROMPTLOSS_VECTOR_BYTES
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define PROMPTLOSS_VECTOR_BYTES 32
namespace promptloss {
namespace avx2 {
#include "lanes_of_width.h"
#include PROMPTLOSS_KERNELS
}  // namespace avx2
}  // namespace promptloss
#undef PROMPTLOSS_VECTOR_BYTES
#pragma GCC pop_options

#define PROMPTLOSS_CHOSEN(function)                                       \
  (this_processor() == Processor::avx512   ? &avx512::function            \
   : this_processor() == Processor::avx2   ? &avx2::function              \
                                           : &basic::function)

#else

#define PROMPTLOSS_CHOSEN(function) (&basic::function)

#endif

#define PROMPTLOSS_VECTOR_BYTES 16
namespace promptloss {
namespace basic {
#include "lanes_of_width.h"
#include PROMPTLOSS_KERNELS
}  // namespace basic
}  // namespace promptloss
#undef PROMPTLOSS_VECTOR_BYTES
