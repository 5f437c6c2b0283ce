// From logits to losses and their gradients, a row at a time.
#pragma once

#include <cstdint>

namespace promptloss {

struct SoftmaxRows {
  bool halves;   // whether the logits are bfloat16, or float32
  void* logits;  // [rows, count], contiguous
  int64_t count;
  const int64_t* targets;  // [rows], each within 0 to count
  float smoothing;
  /** Whether the logits are overwritten by d(loss of the row) / d(logits), rounded to their dtype. */
  bool gradients;
  float* losses;         // [rows]: with the smoothed target
  float* cross_entropy;  // [rows]: with the target itself
  bool* correct;         // [rows]: no other entry is likelier
};

/** The rows `begin` to `end`, on the calling thread. */
void softmax_rows(const SoftmaxRows& rows, int64_t begin, int64_t end);

}  // namespace promptloss
