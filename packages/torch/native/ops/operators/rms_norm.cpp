// promptloss::rms_norm: RMS norm of rows. First order only. A kernel of ours on the CPU; elsewhere libtorch's fused operator
// where it has one, or plain operators.
#include "../kernels/rms_norm.h"

#include "library_operator.h"
#include "operator.h"

namespace promptloss::rms_norm {

constexpr const char* kName = "rms_norm";
/** Units are whole vectors of the kernel. */
constexpr int64_t kUnits = 16;

struct Inputs {
  at::Tensor input;   // [..., units], float32 or bfloat16
  at::Tensor weight;  // [units], float32, or bfloat16 with a bfloat16 input
  double eps;
  double weight_offset;  // added to the weight

  RmsNorm call(const at::Tensor& own_input, const at::Tensor& own_weight, at::ScalarType output) const {
    return {is_half(input), is_half(weight), output == at::kBFloat16, memory_of(own_input), memory_of(own_weight),
            input.numel() / weight.numel(), weight.numel(), static_cast<float>(eps), static_cast<float>(weight_offset)};
  }
};

/** By libtorch's operators: the dtype that they compute in, and input and weight in it. */
struct LibraryRmsNorm {
  explicit LibraryRmsNorm(const Inputs& inputs) {
    const bool as_it_is = inputs.weight_offset == 0 && inputs.input.scalar_type() == inputs.weight.scalar_type();
    const auto dtype = as_it_is ? inputs.input.scalar_type() : at::kFloat;
    input = inputs.input.to(dtype).contiguous();
    weight = inputs.weight.to(dtype);
    if (inputs.weight_offset != 0) weight = weight.add(inputs.weight_offset);
    shape = {inputs.weight.size(0)};
  }

  at::Tensor input, weight;
  std::vector<int64_t> shape;
};

const LibraryOperator& fused_forward() {
  static const LibraryOperator found("aten::_fused_rms_norm");
  return found;
}

const LibraryOperator& fused_backward() {
  static const LibraryOperator found("aten::_fused_rms_norm_backward");
  return found;
}

/** The CPU has the forward pass of plain operators alone, and tensors without values have neither. */
bool takes_fused(const at::Tensor& input) {
  return is_on(Way::fused_rms_norm) && fused_forward().exists() && fused_backward().runs_on(input.device());
}

std::tuple<at::Tensor, at::Tensor> library_forward(const Inputs& inputs, at::ScalarType dtype) {
  const LibraryRmsNorm on(inputs);
  if (takes_fused(on.input)) {
    const auto results =
        fused_forward()({{"input", on.input}, {"normalized_shape", on.shape}, {"weight", on.weight}, {"eps", inputs.eps}});
    return {results[0].toTensor().to(dtype), results[1].toTensor()};
  }
  const auto wide = on.input.to(at::kFloat);
  const auto scales = wide.square().mean({-1}, true).add_(inputs.eps).rsqrt_();
  return {wide.mul(scales).mul_(on.weight).to(dtype), scales};
}

std::tuple<at::Tensor, at::Tensor> library_backward(
    const at::Tensor& given, const Inputs& inputs, const at::Tensor& scales, bool weight_wanted) {
  const LibraryRmsNorm on(inputs);
  if (takes_fused(on.input)) {
    const auto results = fused_backward()(
        {{"grad_out", given.to(on.input.scalar_type()).contiguous()}, {"input", on.input}, {"normalized_shape", on.shape},
         {"rstd", scales}, {"weight", on.weight}, {"output_mask", c10::List<bool>({true, weight_wanted})}});
    return {results[0].toTensor().to(inputs.input.scalar_type()),
            weight_wanted ? results[1].toTensor().to(inputs.weight.scalar_type()) : at::Tensor()};
  }
  const auto gradient = given.to(at::kFloat), even = on.input.to(at::kFloat).mul_(scales);
  const auto by_even = gradient.mul(on.weight);
  const auto by_input = by_even.sub(even.mul(by_even.mul(even).mean({-1}, true))).mul_(scales);
  const auto by_weight = weight_wanted
                             ? gradient.mul(even).reshape({-1, on.shape[0]}).sum(0).to(inputs.weight.scalar_type())
                             : at::Tensor();
  return {by_input.to(inputs.input.scalar_type()), by_weight};
}

/** The output in `dtype`, and 1 / √(mean of squares + eps) of each row, float32. */
std::tuple<at::Tensor, at::Tensor> forward(const Inputs& inputs, at::ScalarType dtype) {
  if (!is_for_kernels(inputs.input, Fused::kRmsNorm)) return library_forward(inputs, dtype);
  const auto input = inputs.input.contiguous(), weight = inputs.weight.contiguous();
  const auto call = inputs.call(input, weight, dtype);
  const auto scales = at::empty({call.rows}, input.options().dtype(at::kFloat));
  const auto output = at::empty(input.sizes(), input.options().dtype(dtype));
  rms_norm_forward(call, memory_of(output), memory_of<float>(scales));
  return {output, scales};
}

/** Gradients of input and weight; the weight's is left out where it is not `wanted`. */
std::tuple<at::Tensor, at::Tensor> backward(
    const at::Tensor& given, const Inputs& inputs, const at::Tensor& scales, bool weight_wanted) {
  if (!is_for_kernels(inputs.input, Fused::kRmsNorm)) return library_backward(given, inputs, scales, weight_wanted);
  const auto input = inputs.input.contiguous(), weight = inputs.weight.contiguous(), grad = given.contiguous();
  const auto call = inputs.call(input, weight, grad.scalar_type());
  const auto grad_input = at::empty(input.sizes(), input.options());
  const auto blocks = (call.rows + kRmsNormBlock - 1) / kRmsNormBlock;
  const auto grad_weight = weight_wanted ? at::zeros({blocks, call.units}, scales.options()) : at::Tensor();
  rms_norm_backward(call, memory_of<float>(scales), memory_of(grad), memory_of(grad_input), memory_of<float>(grad_weight));
  return {grad_input, weight_wanted ? grad_weight.sum(0).to(weight.scalar_type()) : at::Tensor()};
}

void check(const Inputs& inputs) {
  const auto& [input, weight, eps, offset] = inputs;
  check_for_any_device(kName, "input", input, input);
  TORCH_CHECK(weight.device() == input.device(), kName, ": weight must be on ", input.device(), ", got ", weight.device());
  TORCH_CHECK(
      weight.scalar_type() == at::kFloat || weight.scalar_type() == input.scalar_type(), kName,
      ": weight must be float32 or have input's dtype ", input.scalar_type(), ", got ", weight.scalar_type());
  TORCH_CHECK(weight.dim() == 1, kName, ": weight must have shape [units], got ", weight.sizes());
  TORCH_CHECK(
      input.dim() >= 1 && input.size(-1) == weight.size(0), kName, ": input must have shape [..., ", weight.size(0), "], got ",
      input.sizes());
  TORCH_CHECK(
      weight.size(0) > 0 && (weight.size(0) % kUnits == 0 || !is_for_kernels(input, Fused::kRmsNorm)), kName, ": units must be a multiple of ", kUnits, ", got ",
      weight.size(0));
  TORCH_CHECK(eps >= 0, kName, ": eps must not be negative, got ", eps);
}

struct Derivative : torch::autograd::Function<Derivative> {
  static at::Tensor forward(
      AutogradContext* ctx, const at::Tensor& input, const at::Tensor& weight, const Inputs& inputs,
      at::ScalarType dtype) {
    const auto [output, scales] = rms_norm::forward(inputs, dtype);
    ctx->save_for_backward({input, weight, scales});
    ctx->saved_data["eps"] = inputs.eps;
    ctx->saved_data["offset"] = inputs.weight_offset;
    ctx->saved_data["weight_wanted"] = weight.requires_grad();
    return output;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    first_order_only(kName, "square, mean and rsqrt");
    const auto saved = ctx->get_saved_variables();
    const Inputs inputs{
        saved[0], saved[1], ctx->saved_data["eps"].toDouble(), ctx->saved_data["offset"].toDouble()};
    const auto [input, weight] =
        rms_norm::backward(gradients[0], inputs, saved[2], ctx->saved_data["weight_wanted"].toBool());
    return {input, weight, at::Tensor(), at::Tensor()};
  }
};

at::ScalarType result_dtype(const Inputs& inputs) {
  return inputs.weight_offset == 0 ? inputs.weight.scalar_type() : inputs.input.scalar_type();
}

at::Tensor plain(const at::Tensor& input, const at::Tensor& weight, double eps, double weight_offset) {
  const Inputs inputs{input, weight, eps, weight_offset};
  check(inputs);
  return std::get<0>(rms_norm::forward(inputs, result_dtype(inputs)));
}

at::Tensor differentiable(const at::Tensor& input, const at::Tensor& weight, double eps, double weight_offset) {
  const Inputs inputs{input, weight, eps, weight_offset};
  check(inputs);
  return Derivative::apply(input, weight, inputs, result_dtype(inputs));
}

/** Computed in float32, and rounded at once to what the products that follow take. */
at::Tensor autocast(const at::Tensor& input, const at::Tensor& weight, double eps, double weight_offset) {
  const WithoutAutocast guard;
  const Inputs inputs{input, weight, eps, weight_offset};
  check(inputs);
  const auto narrow = autocast_dtype(input);
  const bool rounds = narrow == at::kBFloat16 || !is_for_kernels(input, Fused::kRmsNorm);
  return Derivative::apply(input, weight, inputs, rounds ? narrow : result_dtype(inputs));
}

}  // namespace promptloss::rms_norm
