// One step of AdamW (Loshchilov and Hutter, 2019) in one pass over weight, gradient and both moments.
//
// Gains: eight passes of ATen's operators over tensors that no cache holds, and a step is bound by memory; here each number
// is read and written once. Measured by bench/src/torch. Plain loops over the elements, which the compiler makes vectors of.
//
// Plain twin: the operators of ATen in operators/adamw_step.cpp (adamw-step.test.ts holds both to float64).
#include "adamw_step.h"

#include <cmath>

#include "lanes.h"
#include "share.h"

namespace promptloss {
namespace {

/** Elements a thread takes at a time. */
constexpr int64_t kGrain = 1 << 14;

/** In the order of torch.optim.AdamW, so that both round alike. */
PROMPTLOSS_CLONES void step_range(
    const AdamWStep& step, float* __restrict__ parameter, float* __restrict__ first, float* __restrict__ second,
    const float* __restrict__ gradients, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float gradient = gradients[i] * step.gradient_scale;
    const float average = first[i] + step.take_first * (gradient - first[i]);
    const float square = second[i] * step.keep_second + step.take_second * gradient * gradient;
    first[i] = average;
    second[i] = square;
    const float spread = std::sqrt(square) / step.second_bias + step.epsilon;
    parameter[i] = parameter[i] * step.shrink - step.stride * (average / spread);
  }
}

}  // namespace

void adamw_step(const AdamWStep& step, float* parameter, float* first, float* second, const float* gradients, int64_t count) {
  divide(count, kGrain, [&](int64_t begin, int64_t end) {
    step_range(step, parameter + begin, first + begin, second + begin, gradients + begin, end - begin);
  });
}

}  // namespace promptloss
