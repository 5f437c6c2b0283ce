// One step of AdamW on one tensor: the operator promptloss::adamw_step_. Eight passes of ATen's operators, or on the
// CPU one pass that reads and writes each number once: a step is bound by memory.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <cmath>

#include "fused.h"
#include "lanes.h"

namespace promptloss {
namespace {

/** Elements a thread takes at a time. */
constexpr int64_t kGrain = 1 << 14;

struct AdamWStep {
  float shrink;          // 1 - rate * decay: what is left of the weight
  float gradient_scale;  // of the gradient, before all else
  float take_first;  // 1 - beta1
  float keep_second, take_second;
  float second_bias;  // sqrt(1 - beta2^steps)
  float epsilon;
  float stride;  // rate / (1 - beta1^steps)
};

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

bool has_one_pass(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}

void check(const at::Tensor& parameter, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK(
      tensor.sizes() == parameter.sizes(), "adamw_step_: ", name, " must have the parameter's shape ", parameter.sizes(),
      ", got ", tensor.sizes());
  TORCH_CHECK(
      tensor.scalar_type() == parameter.scalar_type() && tensor.device() == parameter.device(), "adamw_step_: ", name,
      " must have the parameter's dtype and device, ", parameter.scalar_type(), " on ", parameter.device(), ", got ",
      tensor.scalar_type(), " on ", tensor.device());
}

void adamw_step_(
    at::Tensor& parameter, at::Tensor& first, at::Tensor& second, const at::Tensor& gradient, int64_t steps,
    double rate, double beta1, double beta2, double epsilon, double weight_decay, double gradient_scale) {
  TORCH_CHECK(
      at::isFloatingType(parameter.scalar_type()), "adamw_step_: parameter must be floating point, got ",
      parameter.scalar_type());
  check(parameter, "first", first);
  check(parameter, "second", second);
  check(parameter, "gradient", gradient);
  TORCH_CHECK(steps >= 1, "adamw_step_: steps counts from 1, got ", steps);
  TORCH_CHECK(
      beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "adamw_step_: betas must be in [0, 1), got ", beta1, " and ", beta2);
  const double first_bias = 1 - std::pow(beta1, static_cast<double>(steps));
  const double second_bias = std::sqrt(1 - std::pow(beta2, static_cast<double>(steps)));
  const double shrink = 1 - rate * weight_decay;

  if (fused_kernels() && has_one_pass(parameter) && has_one_pass(first) && has_one_pass(second) && has_one_pass(gradient)) {
    const auto as_float = [](double value) { return static_cast<float>(value); };
    const AdamWStep step{
        as_float(shrink),    as_float(gradient_scale), as_float(1 - beta1), as_float(beta2),
        as_float(1 - beta2), as_float(second_bias),    as_float(epsilon),   as_float(rate / first_bias)};
    float* own = parameter.data_ptr<float>();
    float* averages = first.data_ptr<float>();
    float* squares = second.data_ptr<float>();
    const float* gradients = gradient.data_ptr<float>();
    at::parallel_for(0, parameter.numel(), kGrain, [&](int64_t begin, int64_t end) {
      step_range(step, own + begin, averages + begin, squares + begin, gradients + begin, end - begin);
    });
    return;
  }
  const auto scaled = gradient_scale == 1 ? gradient : gradient.mul(gradient_scale);
  if (weight_decay != 0) {
    parameter.mul_(shrink);
  }
  first.lerp_(scaled, 1 - beta1);
  second.mul_(beta2).addcmul_(scaled, scaled, 1 - beta2);
  const auto spread = second.sqrt().div_(second_bias).add_(epsilon);
  parameter.addcdiv_(first, spread, -rate / first_bias);
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def(
      "adamw_step_(Tensor(a!) parameter, Tensor(b!) first, Tensor(c!) second, Tensor gradient, int steps, float rate, "
      "float beta1, float beta2, float epsilon, float weight_decay, float gradient_scale) -> ()");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("adamw_step_", promptloss::adamw_step_);
}
