// What kernels share whatever the width of their vectors.
#pragma once

#include <cstdint>

#define PROMPTLOSS_INLINE static inline __attribute__((always_inline))

namespace promptloss {

/** bfloat16 as its bits: the upper half of a float's. */
struct BFloat16 {
  uint16_t bits;
};

/** The most numbers of a vector: memory for as many, or a multiple, suits every processor. */
constexpr int64_t kMostLanes = 16;

inline int64_t rounded_to_lanes(int64_t n) { return (n + kMostLanes - 1) / kMostLanes * kMostLanes; }

}  // namespace promptloss
