// promptloss::adamw_step_: one step of AdamW on one tensor, in place.
#include "../kernels/adamw_step.h"

#include <cmath>

#include "fused.h"
#include "operator.h"
#include "writable.h"

namespace promptloss::adamw_step_operator {

bool has_kernel(const at::Tensor& tensor) {
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

void plain(
    at::Tensor& parameter, at::Tensor& first, at::Tensor& second, const at::Tensor& gradient, int64_t steps,
    double rate, double beta1, double beta2, double epsilon, double weight_decay, double gradient_scale) {
  TORCH_CHECK(
      at::isFloatingType(parameter.scalar_type()), "adamw_step_: parameter must be floating point, got ",
      parameter.scalar_type());
  check(parameter, "first", first);
  check(parameter, "second", second);
  check(parameter, "gradient", gradient);
  const at::Tensor* const all[] = {&parameter, &first, &second, &gradient};
  TORCH_CHECK(
      !wants_gradient({parameter, first, second, gradient}), "adamw_step_: has no derivative", "\nhint: call it in noGrad");
  for (int written = 0; written < 3; ++written) {
    at::assert_no_internal_overlap(*all[written]);
    for (int other = written + 1; other < 4; ++other) at::assert_no_overlap(*all[written], *all[other]);
  }
  TORCH_CHECK(steps >= 1, "adamw_step_: steps counts from 1, got ", steps);
  TORCH_CHECK(
      beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "adamw_step_: betas must be in [0, 1), got ", beta1, " and ", beta2);
  const double first_bias = 1 - std::pow(beta1, static_cast<double>(steps));
  const double second_bias = std::sqrt(1 - std::pow(beta2, static_cast<double>(steps)));
  const double shrink = 1 - rate * weight_decay;

  if (fused_kernels() && has_kernel(parameter) && has_kernel(first) && has_kernel(second) && has_kernel(gradient)) {
    const auto as_float = [](double value) { return static_cast<float>(value); };
    const AdamWStep step{
        as_float(shrink),    as_float(gradient_scale), as_float(1 - beta1), as_float(beta2),
        as_float(1 - beta2), as_float(second_bias),    as_float(epsilon),   as_float(rate / first_bias)};
    adamw_step(step, memory_of<float>(parameter), memory_of<float>(first), memory_of<float>(second),
               memory_of<float>(gradient), parameter.numel());
    for (const auto& written : {parameter, first, second}) note_written(written);
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

}  // namespace promptloss::adamw_step_operator
