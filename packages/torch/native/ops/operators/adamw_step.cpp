// promptloss::adamw_step_: one step of AdamW on one tensor, in place. promptloss::adamw_steps_: on many, by libtorch's fused
// operator, told by tensors what to divide gradients by and whether to skip.
#include "../kernels/adamw_step.h"

#include <cmath>

#include "fused.h"
#include "library_operator.h"
#include "operator.h"
#include "writable.h"

namespace promptloss::adamw_step_operator {

bool has_kernel(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}

void check(const char* op, const at::Tensor& parameter, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK(
      tensor.sizes() == parameter.sizes(), op, ": ", name, " must have the parameter's shape ", parameter.sizes(),
      ", got ", tensor.sizes());
  TORCH_CHECK(
      tensor.scalar_type() == parameter.scalar_type() && tensor.device() == parameter.device(), op, ": ", name,
      " must have the parameter's dtype and device, ", parameter.scalar_type(), " on ", parameter.device(), ", got ",
      tensor.scalar_type(), " on ", tensor.device());
}

/** What the four tensors of a step must be: of one shape, dtype and device, apart from each other, without gradients. */
void check_all(
    const char* op, const at::Tensor& parameter, const at::Tensor& first, const at::Tensor& second, const at::Tensor& gradient) {
  TORCH_CHECK(
      at::isFloatingType(parameter.scalar_type()), op, ": parameter must be floating point, got ", parameter.scalar_type());
  check(op, parameter, "first", first);
  check(op, parameter, "second", second);
  check(op, parameter, "gradient", gradient);
  const at::Tensor* const all[] = {&parameter, &first, &second, &gradient};
  TORCH_CHECK(
      !wants_gradient({parameter, first, second, gradient}), op, ": has no derivative", "\nhint: call it in noGrad");
  for (int written = 0; written < 3; ++written) {
    at::assert_no_internal_overlap(*all[written]);
    for (int other = written + 1; other < 4; ++other) at::assert_no_overlap(*all[written], *all[other]);
  }
}

void plain(
    at::Tensor& parameter, at::Tensor& first, at::Tensor& second, const at::Tensor& gradient, int64_t steps,
    double rate, double beta1, double beta2, double epsilon, double weight_decay, double gradient_scale) {
  check_all("adamw_step_", parameter, first, second, gradient);
  TORCH_CHECK(steps >= 1, "adamw_step_: steps counts from 1, got ", steps);
  TORCH_CHECK(
      beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "adamw_step_: betas must be in [0, 1), got ", beta1, " and ", beta2);
  const double first_bias = 1 - std::pow(beta1, static_cast<double>(steps));
  const double second_bias = std::sqrt(1 - std::pow(beta2, static_cast<double>(steps)));
  const double shrink = 1 - rate * weight_decay;

  if (fused_kernels(Fused::kAdamW) && has_kernel(parameter) && has_kernel(first) && has_kernel(second) && has_kernel(gradient)) {
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

const LibraryOperator& fused_steps() {
  static const LibraryOperator found("aten::_fused_adamw_");
  return found;
}

bool has_steps() { return is_on(Way::fused_adamw) && fused_steps().exists(); }

/** @param steps, divisor, skip float32 of one element each, on the parameters' device */
void many(
    at::TensorList parameters, at::TensorList firsts, at::TensorList seconds, at::TensorList gradients,
    const at::Tensor& steps, double rate, double beta1, double beta2, double epsilon, double weight_decay,
    const at::Tensor& divisor, const at::Tensor& skip) {
  const char* op = "adamw_steps_";
  TORCH_CHECK(
      firsts.size() == parameters.size() && seconds.size() == parameters.size() && gradients.size() == parameters.size(), op,
      ": there must be as many of parameters, firsts, seconds and gradients, got ", parameters.size(), ", ", firsts.size(), ", ",
      seconds.size(), " and ", gradients.size());
  if (parameters.empty()) return;
  TORCH_CHECK(has_steps(), op, ": this libtorch has no fused AdamW\nhint: adamw_step_ takes a tensor at a time");
  const auto dtype = parameters[0].scalar_type();
  TORCH_CHECK(dtype == at::kFloat || dtype == at::kDouble, op, ": parameters must be float32 or float64, got ", dtype);
  for (size_t i = 0; i < parameters.size(); ++i) {
    check_all(op, parameters[i], firsts[i], seconds[i], gradients[i]);
    TORCH_CHECK(
        parameters[i].scalar_type() == dtype && parameters[i].device() == parameters[0].device(), op,
        ": parameters must have one dtype and device");
    for (const auto* each : {&parameters[i], &firsts[i], &seconds[i], &gradients[i]})
      TORCH_CHECK(each->layout() == at::kStrided && each->is_contiguous(), op, ": tensors must be contiguous");
  }
  for (const auto& [name, number] : {std::pair<const char*, at::Tensor>{"steps", steps}, {"divisor", divisor}, {"skip", skip}})
    TORCH_CHECK(
        number.numel() == 1 && number.scalar_type() == at::kFloat && number.device() == parameters[0].device() &&
            number.layout() == at::kStrided,
        op, ": ", name, " must be float32 of one element on the parameters' device");
  const at::NoGradGuard guard;
  const auto list = [](at::TensorList tensors) { return c10::List<at::Tensor>(tensors); };
  const std::vector<at::Tensor> counts(parameters.size(), steps);
  fused_steps()(
      {{"self", list(parameters)}, {"grads", list(gradients)}, {"exp_avgs", list(firsts)}, {"exp_avg_sqs", list(seconds)},
       {"max_exp_avg_sqs", c10::List<at::Tensor>()}, {"state_steps", list(counts)}, {"lr", rate}, {"beta1", beta1},
       {"beta2", beta2}, {"weight_decay", weight_decay}, {"eps", epsilon}, {"amsgrad", false}, {"maximize", false},
       {"grad_scale", divisor}, {"found_inf", skip}});
}

}  // namespace promptloss::adamw_step_operator
