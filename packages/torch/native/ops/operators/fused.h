// Whether operators take the kernels that are written for processors, or ATen's operators alone. Both give the same
// to the rounding; tests and benchmarks switch.
#pragma once

#include <string>

namespace promptloss {

/** What is switched apart. */
enum class Fused : unsigned {
  kAdamW,
  kAttention,
  kBlocks,
  kCrossEntropy,
  kFewRows,
  kProducts,
  kRmsNorm,
  kRotaryEmbedding,
  kSiluMul,
};

bool fused_kernels(Fused kernel);

/** By name; empty for whether all are. Throws for another name. */
bool fused_kernels(const std::string& name);

/** Likewise. @return what it was */
bool use_fused_kernels(bool on, const std::string& name);

}  // namespace promptloss
