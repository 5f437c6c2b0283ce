// Causal attention of sequences laid end to end, each to itself, without a mask and without scores kept: the CPU's
// kernels of promptloss::packed_attention.
#pragma once

#include <ATen/ATen.h>

#include <tuple>

namespace promptloss {

/** T tokens, H heads of queries, G heads of keys and values (H a multiple of G), W units a head (a multiple of 16). */
struct PackedAttentionInputs {
  at::Tensor query;  // [T, H, W], float32 or bfloat16
  at::Tensor key;    // [T, G, W]
  at::Tensor value;  // [T, G, W]
  /** Where each sequence starts, and at last T. */
  std::vector<int64_t> starts;
  double scale;
  /** A token sees itself and window − 1 before it; 0 for all before it. */
  int64_t window;
};

/** Throws c10::Error, naming the argument, where a shape, dtype, device or setting does not fit. */
void check_packed_attention(const PackedAttentionInputs& inputs);

/** The output [T, H, W] in value's dtype, and the logarithm of each softmax's sum, [H, T] float32. */
std::tuple<at::Tensor, at::Tensor> packed_attention_forward(const PackedAttentionInputs& inputs);

/** Gradients by query, key and value, in their dtypes. */
std::tuple<at::Tensor, at::Tensor, at::Tensor> packed_attention_backward(
    const at::Tensor& grad,
    const PackedAttentionInputs& inputs,
    const at::Tensor& output,
    const at::Tensor& log_sums);

}  // namespace promptloss
