// RMS norm of rows: what the operator promptloss::rms_norm is made of on the CPU.
#pragma once

#include <ATen/ATen.h>

#include <tuple>

namespace promptloss {

struct RmsNormInputs {
  at::Tensor input;   // [..., units], float32 or bfloat16
  at::Tensor weight;  // [units], float32, or bfloat16 with a bfloat16 input
  double eps;
  double weight_offset;  // added to the weight
};

/** The output in `dtype`, and 1 / √(mean of squares + eps) of each row, float32. */
std::tuple<at::Tensor, at::Tensor> rms_norm_forward(const RmsNormInputs& inputs, at::ScalarType dtype);

/** Gradients of input and weight; the weight's is left out where it is not `wanted`. */
std::tuple<at::Tensor, at::Tensor> rms_norm_backward(
    const at::Tensor& grad, const RmsNormInputs& inputs, const at::Tensor& scales, bool weight_wanted);

}  // namespace promptloss
