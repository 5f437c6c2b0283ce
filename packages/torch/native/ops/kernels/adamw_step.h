// One step of AdamW on one tensor of float32.
#pragma once

#include <cstdint>

namespace promptloss {

struct AdamWStep {
  float shrink;          // 1 - rate * decay: what is left of the weight
  float gradient_scale;  // of the gradient, before all else
  float take_first;  // 1 - beta1
  float keep_second, take_second;
  float second_bias;  // sqrt(1 - beta2^steps)
  float epsilon;
  float stride;  // rate / (1 - beta1^steps)
};

/** Updates `count` weights and their two moments in place; no two of the four may overlap. */
void adamw_step(const AdamWStep& step, float* parameter, float* first, float* second, const float* gradients, int64_t count);

}  // namespace promptloss
