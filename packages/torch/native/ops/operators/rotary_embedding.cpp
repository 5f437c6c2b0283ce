// promptloss::rotary_embedding: rotary positions. First order only. A kernel of ours on the CPU, libtorch's operators elsewhere.
#include "../kernels/rotary_embedding.h"

#include "operator.h"

namespace promptloss::rotary_embedding_operator {

constexpr const char* kName = "rotary_embedding";

/** By libtorch's operators, half of the elements at a time: computed in float32 and rounded once, as by the kernel. */
at::Tensor turned_by_library(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin, float direction) {
  const auto pairs = cos.size(-1), width = input.size(2);
  auto output = at::empty(input.sizes(), input.options());
  const auto first = input.narrow(2, 0, pairs), second = input.narrow(2, pairs, pairs);
  auto to_first = output.narrow(2, 0, pairs), to_second = output.narrow(2, pairs, pairs);
  at::addcmul_out(to_first, first.mul(cos), second, sin, -direction);
  at::addcmul_out(to_second, second.mul(cos), first, sin, direction);
  if (2 * pairs < width) output.narrow(2, 2 * pairs, width - 2 * pairs).copy_(input.narrow(2, 2 * pairs, width - 2 * pairs));
  return output;
}

at::Tensor turned(const at::Tensor& given, const at::Tensor& cos, const at::Tensor& sin, float direction) {
  if (!is_for_kernels(given, Fused::kRotaryEmbedding)) return turned_by_library(given, cos, sin, direction);
  const auto input = given.stride(2) == 1 ? given : given.contiguous();
  const auto output = at::empty(input.sizes(), input.options());
  const RotaryEmbedding call{
      is_half(input), memory_of(input), input.stride(0), input.stride(1), memory_of<const float>(cos),
      memory_of<const float>(sin), input.size(0), input.size(1), input.size(2), cos.size(-1), direction};
  rotary_embedding(call, memory_of(output));
  return output;
}

void check(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
  TORCH_CHECK(input.dim() == 3, kName, ": input must have shape [tokens, heads, units], got ", input.sizes());
  check_for_any_device(kName, "input", input, input);
  for (const auto& [name, table] : {std::pair<const char*, at::Tensor>{"cos", cos}, {"sin", sin}}) {
    TORCH_CHECK(
        table.device() == input.device() && table.scalar_type() == at::kFloat, kName, ": ", name, " must be float32 on ",
        input.device(), ", got ", table.scalar_type(), " on ", table.device());
    TORCH_CHECK(!table.requires_grad(), kName, ": ", name, " must not want a gradient");
    TORCH_CHECK(
        table.dim() == 3 && table.size(0) == input.size(0) && table.size(1) == 1 && table.size(2) > 0 &&
            2 * table.size(2) <= input.size(2) && table.sizes() == cos.sizes(),
        kName, ": ", name, " must have shape [tokens, 1, pairs] for the input's ", input.sizes(), ", got ", table.sizes());
  }
}

struct Derivative : torch::autograd::Function<Derivative> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
    ctx->save_for_backward({cos, sin});
    return turned(input, cos, sin, 1);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    first_order_only(kName, "mul and cat");
    const auto saved = ctx->get_saved_variables();
    return {turned(gradients[0], saved[0], saved[1], -1), at::Tensor(), at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
  check(input, cos, sin);
  at::AutoDispatchBelowADInplaceOrView guard;
  return turned(input, cos.contiguous(), sin.contiguous(), 1);
}

at::Tensor differentiable(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
  check(input, cos, sin);
  return Derivative::apply(input, cos.contiguous(), sin.contiguous());
}

}  // namespace promptloss::rotary_embedding_operator
