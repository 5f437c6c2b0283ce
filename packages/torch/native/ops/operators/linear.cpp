// promptloss::linear: input · weightᵀ + bias. In bfloat16, by autocast or by the operands' own dtype, and in float32 where
// it is faster than libtorch's, kernels/products.h multiplies, which takes float32 weights as they are and gives their
// gradients in float32; a few rows in one dtype, of which no gradient is asked, are few_rows.h's; all else is at::linear's,
// which is the plain twin as well.
#include "fused.h"
#include "matrices.h"

namespace promptloss::linear {

using Bias = Optional<at::Tensor>;

/** Whether there is no bias, or one of a number an output. */
bool fits(const Bias& bias, const at::Tensor& weight) {
  return !bias.has_value() ||
         (bias->is_cpu() && is_float_or_half(bias->scalar_type()) && bias->dim() == 1 && weight.dim() == 2 && bias->size(0) == weight.size(0));
}

/** @param dtype of the products */
bool serves(const at::Tensor& input, const at::Tensor& weight, const Bias& bias, at::ScalarType dtype) {
  return fused_kernels(Fused::kProducts) && has_products(dtype) && input.is_cpu() && is_float_or_half(input.scalar_type()) && input.dim() > 0 && is_factor(weight) &&
         weight.numel() > 0 && input.size(-1) == weight.size(1) && input.numel() > 0 &&
         fits(bias, weight);
}

at::Tensor rows_of(const at::Tensor& tensor) {
  const auto rows = tensor.reshape({-1, tensor.size(-1)});
  return is_factor(rows) ? rows : rows.contiguous();
}

/** The bias as kernels read it; undefined for none. */
at::Tensor floats_of(const Bias& bias) {
  return bias.has_value() ? bias->to(at::kFloat).contiguous() : at::Tensor();
}

at::Tensor forward(const at::Tensor& input, const at::Tensor& weight, const Bias& bias, at::ScalarType dtype) {
  auto shape = input.sizes().vec();
  shape.back() = weight.size(0);
  const auto output = at::empty(shape, input.options().dtype(dtype));
  const auto added = floats_of(bias);
  ProductOptions options;
  options.bias = memory_of<const float>(added);
  multiply(output.view({-1, weight.size(0)}), rows_of(input), packed(weight.t(), dtype), options);
  return output;
}

struct Linear : torch::autograd::Function<Linear> {
  /** @param dtype of the products, and of the result */
  static at::Tensor forward(
      AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight, const Bias& bias, at::ScalarType dtype) {
    at::AutoDispatchBelowADInplaceOrView guard;
    ctx->save_for_backward({input, weight});
    ctx->saved_data["wanted"] = c10::List<bool>({
        input.requires_grad(), weight.requires_grad(), bias.has_value() && bias->requires_grad()});
    if (bias.has_value()) ctx->saved_data["dtype"] = bias->scalar_type();
    return linear::forward(input, weight, bias, dtype);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1];
    const auto grad = rows_of(gradients[0]);
    const auto dtype = grad.scalar_type();
    variable_list result(4);
    const auto wanted = ctx->saved_data["wanted"].toBoolList();
    if (wanted[2])
      result[2] = grad.sum(0, false, at::kFloat).to(ctx->saved_data["dtype"].toScalarType());
    if (at::GradMode::is_enabled()) {
      // Recorded, for a gradient of a gradient.
      result[0] = grad.mm(weight.to(dtype)).to(input.scalar_type()).reshape(input.sizes());
      result[1] = grad.t().mm(rows_of(input).to(dtype)).to(weight.scalar_type());
      return result;
    }
    if (wanted[0]) {
      result[0] = at::empty(input.sizes(), input.options());
      multiply(result[0].view({-1, input.size(-1)}), grad, packed(weight, dtype));
    }
    if (wanted[1]) {
      result[1] = at::empty(weight.sizes(), weight.options());
      multiply(result[1], grad.t(), packed(rows_of(input), dtype));
    }
    return result;
  }
};

/** Whether products in the operands' own dtype are these. */
bool serves_as_is(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  const auto dtype = input.scalar_type();
  return weight.scalar_type() == dtype && serves(input, weight, bias, dtype) &&
         (dtype == at::kBFloat16 || !bias.has_value() || bias->scalar_type() == dtype);
}

bool serves_few_rows(const at::Tensor& rows, const at::Tensor& weight) {
  const auto dtype = rows.scalar_type();
  return fused_kernels(Fused::kFewRows) && rows.is_cpu() && weight.is_cpu() && weight.scalar_type() == dtype && is_float_or_half(dtype) &&
         weight.dim() == 2 && weight.stride(1) == 1 && rows.size(1) == weight.size(1) && rows.size(1) > 0 &&
         rows.size(0) > 0 && rows.size(0) <= kMostFewRows;
}

/** rows [count, depth] · weightᵀ + bias. */
at::Tensor few_rows(
    const at::Tensor& given, const at::Tensor& weight, const at::Tensor& bias, FewRowsKernel<BFloat16> kernel) {
  const auto rows = given.contiguous();
  const auto result = at::empty({rows.size(0), weight.size(0)}, rows.options());
  few_rows_product(target_of(result), matrix_of(rows), matrix_of(weight), memory_of<const float>(bias), kernel);
  return result;
}

/** Few rows in one dtype, of which no gradient is asked; undefined where they are not such. */
at::Tensor few(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  if (wants_gradient({input, weight, bias.has_value() ? *bias : at::Tensor()})) return {};
  if (input.dim() == 0 || input.numel() == 0 || !fits(bias, weight)) return {};
  const auto rows = input.reshape({-1, input.size(-1)});
  if (!serves_few_rows(rows, weight)) return {};
  at::AutoDispatchBelowADInplaceOrView guard;
  auto shape = input.sizes().vec();
  shape.back() = weight.size(0);
  return few_rows(rows, weight, floats_of(bias), few_rows_kernel()).view(shape);
}

at::Tensor plain(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  if (const auto result = few(input, weight, bias); result.defined()) return result;
  if (serves_as_is(input, weight, bias)) return forward(input, weight, bias, input.scalar_type());
  return at::linear(input, weight, bias);
}

at::Tensor differentiable(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  if (const auto result = few(input, weight, bias); result.defined()) return result;
  if (serves_as_is(input, weight, bias)) return Linear::apply(input, weight, bias, input.scalar_type());
  return at::linear(input, weight, bias);
}

at::Tensor autocast(const at::Tensor& input, const at::Tensor& weight, const Bias& bias) {
  if (autocast_dtype(input) != at::kBFloat16 || !serves(input, weight, bias, at::kBFloat16))
    return at::linear(input, weight, bias);
  const WithoutAutocast guard;
  return Linear::apply(input, weight, bias, at::kBFloat16);
}

}  // namespace promptloss::linear
