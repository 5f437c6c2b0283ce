// The operator promptloss::rms_norm: its schema, checks and derivative. First order only.
#include "rms_norm.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "lanes.h"

namespace promptloss {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void check(const RmsNormInputs& inputs) {
  const auto& [input, weight, eps, offset] = inputs;
  const char* op = "rms_norm: ";
  TORCH_CHECK(input.is_cpu() && weight.is_cpu(), op, "input and weight must be on the CPU, got ", input.device(), " and ", weight.device());
  TORCH_CHECK(
      input.scalar_type() == at::kFloat || input.scalar_type() == at::kBFloat16, op,
      "input must be float32 or bfloat16, got ", input.scalar_type());
  TORCH_CHECK(
      weight.scalar_type() == at::kFloat || weight.scalar_type() == input.scalar_type(), op,
      "weight must be float32 or have input's dtype ", input.scalar_type(), ", got ", weight.scalar_type());
  TORCH_CHECK(weight.dim() == 1, op, "weight must have shape [units], got ", weight.sizes());
  TORCH_CHECK(
      input.dim() >= 1 && input.size(-1) == weight.size(0), op, "input must have shape [..., ", weight.size(0), "], got ",
      input.sizes());
  TORCH_CHECK(
      weight.size(0) > 0 && weight.size(0) % kLanes == 0, op, "units must be a multiple of ", kLanes, ", got ", weight.size(0));
  TORCH_CHECK(eps >= 0, op, "eps must not be negative, got ", eps);
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(
      AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight, const RmsNormInputs& inputs,
      at::ScalarType dtype) {
    const auto [output, scales] = rms_norm_forward(inputs, dtype);
    ctx->save_for_backward({input, weight, scales});
    ctx->saved_data["eps"] = inputs.eps;
    ctx->saved_data["offset"] = inputs.weight_offset;
    ctx->saved_data["weight_wanted"] = weight.requires_grad();
    return output;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(), "rms_norm: second derivatives are not implemented",
        "\nhint: compose it of square, mean and rsqrt for a gradient of a gradient");
    const auto saved = ctx->get_saved_variables();
    const RmsNormInputs inputs{
        saved[0], saved[1], ctx->saved_data["eps"].toDouble(), ctx->saved_data["offset"].toDouble()};
    const auto [input, weight] =
        rms_norm_backward(gradients[0], inputs, saved[2], ctx->saved_data["weight_wanted"].toBool());
    return {input, weight, at::Tensor(), at::Tensor()};
  }
};

at::ScalarType result_dtype(const RmsNormInputs& inputs) {
  return inputs.weight_offset == 0 ? inputs.weight.scalar_type() : inputs.input.scalar_type();
}

at::Tensor plain(const at::Tensor& input, const at::Tensor& weight, double eps, double weight_offset) {
  const RmsNormInputs inputs{input, weight, eps, weight_offset};
  check(inputs);
  return std::get<0>(rms_norm_forward(inputs, result_dtype(inputs)));
}

at::Tensor differentiable(const at::Tensor& input, const at::Tensor& weight, double eps, double weight_offset) {
  const RmsNormInputs inputs{input, weight, eps, weight_offset};
  check(inputs);
  return RmsNorm::apply(input, weight, inputs, result_dtype(inputs));
}

/** Computed in float32, and rounded at once to what the products that follow take. */
at::Tensor autocast(const at::Tensor& input, const at::Tensor& weight, double eps, double weight_offset) {
  c10::impl::ExcludeDispatchKeyGuard guard(c10::autocast_dispatch_keyset);
  const RmsNormInputs inputs{input, weight, eps, weight_offset};
  check(inputs);
  const auto narrow = at::autocast::get_lower_precision_fp_from_device_type(input.device().type());
  return RmsNorm::apply(input, weight, inputs, narrow == at::kBFloat16 ? narrow : result_dtype(inputs));
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("rms_norm(Tensor input, Tensor weight, float eps, float weight_offset=0.) -> Tensor");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("rms_norm", promptloss::plain);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("rms_norm", promptloss::differentiable);
}

TORCH_LIBRARY_IMPL(promptloss, AutocastCPU, library) {
  library.impl("rms_norm", promptloss::autocast);
}
