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

/** Scores of so many rows, not yet written. */
RowScores empty_row_scores(int64_t rows);

/**
 * Writes the scores of the rows `begin` to `end` of logits [rows, V], for targets [rows], contiguous, on the calling
 * thread.
 * @param gradients whether the logits are overwritten by d(loss of the row) / d(logits), rounded to their dtype
 */
void softmax_rows(
    const at::Tensor& logits, const at::Tensor& targets, double smoothing, bool gradients, const RowScores& to,
    int64_t begin, int64_t end);

}  // namespace promptloss
