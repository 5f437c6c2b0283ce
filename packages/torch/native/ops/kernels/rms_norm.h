// RMS norm of rows.
#pragma once

#include <cstdint>

namespace promptloss {

/** Contiguous. Each float32, or bfloat16 where so marked; a bfloat16 weight goes with bfloat16 input and output. */
struct RmsNorm {
  bool input_halves, weight_halves, output_halves;
  const void* input;   // [rows, units], units a multiple of 16
  const void* weight;  // [units]
  int64_t rows, units;
  float eps;
  float offset;  // added to the weight
};

/** Rows whose weight gradients are summed together, so that the sum does not depend on how many threads there are. */
constexpr int64_t kRmsNormBlock = 64;

/** Writes `output` [rows, units], and 1 / √(mean of squares + eps) of each row into `scales`. */
void rms_norm_forward(const RmsNorm& on, void* output, float* scales);

/**
 * Writes the gradient by the input, in its dtype, and adds those by the weight, of each block of rows apart, to
 * `grad_weight` [blocks, units], which is null where nobody wants them. `grad` has the output's dtype.
 */
void rms_norm_backward(const RmsNorm& on, const float* scales, const void* grad, void* grad_input, float* grad_weight);

}  // namespace promptloss
