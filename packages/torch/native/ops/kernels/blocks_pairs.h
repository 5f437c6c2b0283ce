// What blocks.h's kinds have for processors that multiply pairs of bfloat16: codes that are small whole numbers, or a
// codebook's, are exact in bfloat16, so that a stretch is multiplied by its codes and the sum by its scale.
#pragma once

#include "blocks.h"

namespace promptloss {

/** Up to kMostBlockRows rows, and the weight that they meet as it is. */
struct BlockRows {
  /** [count, depth], contiguous. */
  const BFloat16* rows;
  int64_t count;
  /** Sums of pairs of elements, [count, depth / 2]; null where a kind has no use for them. */
  const float* pair_sums;
  const BlockMatrix& weight;
};

constexpr int64_t kMostBlockRows = 4;

struct BlockPairKernels {
  const char* name;
  /** As BlockKind's. */
  void (*halves)(const uint8_t* row, int64_t columns, int64_t first, int64_t count, BFloat16* to);
  /** Of the weight's rows `first` to `last`: sums [count, last - first]. */
  void (*multiply)(const BlockRows& of, int64_t first, int64_t last, float* sums);
  bool wants_sums;
};

/** Those of a kind; null where it has none, or this processor is another. */
const BlockPairKernels* block_pair_kernels(const char* name);

/** Sums of pairs of elements, [count / 2]. */
void sums_of_pairs(const BFloat16* from, int64_t count, float* to);

}  // namespace promptloss
