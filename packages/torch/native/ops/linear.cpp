// promptloss::linear: input · weightᵀ + bias. In bfloat16, by autocast or by the operands' own dtype, products.h
// multiplies, which takes float32 weights as they are and gives their gradients in float32; all else is at::linear's.
#include "few_rows.h"
#include "fused.h"
#include "optional.h"
#include "products.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace promptloss {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Bias = Optional<at::Tensor>;

bool floating(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16;
}

/** Whether there is no bias, or one of a number an output. */
bool fits(const Bias& bias, const at::Tensor& weight) {
  return !bias.has_value() ||
         (bias->is_cpu() && floating(*bias) && bias->dim() == 1 && weight.dim() == 2 && bias->size(0) == weight.size(0));
}

bool serves(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  return fused_kernels() && has_products() && input.is_cpu() && floating(input) && input.dim() > 0 && is_factor(weight) &&
         weight.numel() > 0 && input.size(-1) == weight.size(1) && input.numel() > 0 &&
         fits(bias, weight);
}

at::Tensor rows_of(const at::Tensor& tensor) {
  const auto rows = tensor.reshape({-1, tensor.size(-1)});
  return is_factor(rows) ? rows : rows.contiguous();
}

at::Tensor forward(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  auto shape = input.sizes().vec();
  shape.back() = weight.size(0);
  const auto output = at::empty(shape, input.options().dtype(at::kBFloat16));
  ProductOptions options;
  if (bias.has_value()) options.bias = bias->to(at::kFloat).contiguous();
  product(output.view({-1, weight.size(0)}), rows_of(input), PackedFactor(weight.t()), options);
  return output;
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
    at::AutoDispatchBelowADInplaceOrView guard;
    ctx->save_for_backward({input, weight});
    ctx->saved_data["wanted"] = c10::List<bool>({
        input.requires_grad(), weight.requires_grad(), bias.has_value() && bias->requires_grad()});
    if (bias.has_value()) ctx->saved_data["dtype"] = bias->scalar_type();
    return promptloss::forward(input, weight, bias);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1];
    const auto grad = rows_of(gradients[0]);
    variable_list result(3);
    const auto wanted = ctx->saved_data["wanted"].toBoolList();
    if (wanted[2])
      result[2] = grad.sum(0, false, at::kFloat).to(ctx->saved_data["dtype"].toScalarType());
    if (at::GradMode::is_enabled()) {
      // Recorded, for a gradient of a gradient.
      const auto dtype = grad.scalar_type();
      result[0] = grad.mm(weight.to(dtype)).to(input.scalar_type()).reshape(input.sizes());
      result[1] = grad.t().mm(rows_of(input).to(dtype)).to(weight.scalar_type());
      return result;
    }
    if (wanted[0]) {
      result[0] = at::empty(input.sizes(), input.options());
      product(result[0].view({-1, input.size(-1)}), grad, PackedFactor(weight));
    }
    if (wanted[1]) {
      result[1] = at::empty(weight.sizes(), weight.options());
      product(result[1], grad.t(), PackedFactor(rows_of(input)));
    }
    return result;
  }
};

bool both_bfloat16(const at::Tensor& input, const at::Tensor& weight) {
  return input.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kBFloat16;
}

/** Few rows in one dtype, of which no gradient is asked; undefined where they are not such. */
at::Tensor few(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  const bool differentiable = at::GradMode::is_enabled() &&
                              (input.requires_grad() || weight.requires_grad() || (bias.has_value() && bias->requires_grad()));
  if (differentiable || input.dim() == 0 || input.numel() == 0 || !fits(bias, weight)) return {};
  const auto rows = input.reshape({-1, input.size(-1)});
  if (!serves_few_rows(rows, weight)) return {};
  at::AutoDispatchBelowADInplaceOrView guard;
  auto shape = input.sizes().vec();
  shape.back() = weight.size(0);
  return few_rows_product(rows, weight, bias.has_value() ? bias->to(at::kFloat).contiguous() : at::Tensor()).view(shape);
}

at::Tensor plain(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  if (const auto result = few(input, weight, bias); result.defined()) return result;
  if (both_bfloat16(input, weight) && serves(input, weight, bias)) return forward(input, weight, bias);
  return at::linear(input, weight, bias);
}

at::Tensor differentiable(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  if (const auto result = few(input, weight, bias); result.defined()) return result;
  if (both_bfloat16(input, weight) && serves(input, weight, bias)) return Linear::apply(input, weight, bias);
  return at::linear(input, weight, bias);
}

at::Tensor autocast(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  const bool halves = at::autocast::get_lower_precision_fp_from_device_type(at::kCPU) == at::kBFloat16;
  if (!halves || !serves(input, weight, bias)) return at::linear(input, weight, bias);
  c10::impl::ExcludeDispatchKeyGuard guard(c10::autocast_dispatch_keyset);
  return Linear::apply(input, weight, bias);
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("linear", promptloss::plain);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("linear", promptloss::differentiable);
}

TORCH_LIBRARY_IMPL(promptloss, AutocastCPU, library) {
  library.impl("linear", promptloss::autocast);
}
