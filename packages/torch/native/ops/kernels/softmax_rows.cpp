// From a row of logits to its loss and its gradients while it lies in the cache.
//
// Gains: ATen's operators pass over a whole chunk of logits seven times (log-softmax, gather, maximum, exp, scatter, scale,
// round). Measured by bench/src/torch. A row is read once for its largest logit and once for e^(logit − largest), which
// stays in a buffer that the second cache holds; gradients overwrite the logits, which nobody needs any longer.
//
// Plain twin: the operators of ATen in operators/weighted_cross_entropy_chunk.h; the reference in float64 is
// src/reference/weighted-cross-entropy.ts (weighted-cross-entropy.test.ts holds all three together).
#include "softmax_rows.h"

#include <cmath>

#include "workspace.h"

#define PROMPTLOSS_KERNELS "softmax_rows_lanes.h"
#include "each_processor.h"

namespace promptloss {

void softmax_rows(const SoftmaxRows& rows, int64_t begin, int64_t end) {
  thread_local Buffer<float> buffer;
  const Trimmed<Buffer<float>> trimmed(buffer);
  float* exponentials = buffer.fit(static_cast<size_t>(rows.count));
  if (rows.halves)
    PROMPTLOSS_CHOSEN(score_halves)(static_cast<BFloat16*>(rows.logits), rows, begin, end, exponentials);
  else
    PROMPTLOSS_CHOSEN(score_floats)(static_cast<float*>(rows.logits), rows, begin, end, exponentials);
}

}  // namespace promptloss
