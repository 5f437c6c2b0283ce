// The CPU's way from a chunk of logits to losses and their gradients: one row after another in the processor's cache,
// where ATen's operators pass over the whole chunk seven times.
#pragma once

#include <ATen/ATen.h>

namespace promptloss {

struct RowScores {
  at::Tensor losses;         // [rows] float32: with the smoothed target
  at::Tensor cross_entropy;  // [rows] float32: with the target itself
  at::Tensor correct;        // [rows] bool: no other entry is likelier
};

/** Whether `softmax_rows` takes logits of this device and dtype: float32 and bfloat16 on the CPU. */
bool has_softmax_rows(const at::Tensor& logits);

/**
 * The scores of logits [rows, V] for targets [rows].
 * @param gradients whether the logits are overwritten by d(loss of the row) / d(logits), rounded to their dtype
 */
RowScores softmax_rows(const at::Tensor& logits, const at::Tensor& targets, double smoothing, bool gradients);

}  // namespace promptloss
