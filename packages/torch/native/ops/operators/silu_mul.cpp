// promptloss::silu_mul: silu(gate) · up. First order only. A kernel of ours on the CPU, libtorch's operators elsewhere, where
// the function keeps its inputs alone: silu(gate) is computed again for the gradient.
#include "../kernels/silu_mul.h"

#include "operator.h"

namespace promptloss::silu_mul {

constexpr const char* kName = "silu_mul";

at::Tensor forward(const at::Tensor& gate, const at::Tensor& up) {
  if (!is_for_kernels(gate, Fused::kSiluMul)) return at::silu(gate).mul_(up);
  const auto own_gate = gate.contiguous(), own_up = up.contiguous();
  const auto output = at::empty(gate.sizes(), gate.options());
  silu_mul_forward({is_half(gate), memory_of(own_gate), memory_of(own_up), gate.numel()}, memory_of(output));
  return output;
}

variable_list backward(const at::Tensor& grad, const at::Tensor& gate, const at::Tensor& up) {
  if (!is_for_kernels(gate, Fused::kSiluMul)) return {at::silu_backward(grad.mul(up), gate), at::silu(gate).mul_(grad)};
  const auto own_gate = gate.contiguous(), own_up = up.contiguous(), own_grad = grad.contiguous();
  const auto grad_gate = at::empty(gate.sizes(), gate.options()), grad_up = at::empty(gate.sizes(), gate.options());
  silu_mul_backward(
      {is_half(gate), memory_of(own_gate), memory_of(own_up), gate.numel()}, memory_of(own_grad), memory_of(grad_gate),
      memory_of(grad_up));
  return {grad_gate, grad_up};
}

void check(const at::Tensor& gate, const at::Tensor& up) {
  check_for_any_device(kName, "gate", gate, gate);
  TORCH_CHECK(
      up.device() == gate.device() && up.scalar_type() == gate.scalar_type() && up.sizes() == gate.sizes(), kName,
      ": up must have gate's dtype, shape and device, ", gate.scalar_type(), " ", gate.sizes(), ", got ", up.scalar_type(), " ",
      up.sizes(), " on ", up.device());
}

struct Derivative : torch::autograd::Function<Derivative> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up) {
    ctx->save_for_backward({gate, up});
    return silu_mul::forward(gate, up);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    first_order_only(kName, "silu and mul");
    const auto saved = ctx->get_saved_variables();
    return silu_mul::backward(gradients[0], saved[0], saved[1]);
  }
};

at::Tensor plain(const at::Tensor& gate, const at::Tensor& up) {
  check(gate, up);
  at::AutoDispatchBelowADInplaceOrView guard;
  return forward(gate, up);
}

at::Tensor differentiable(const at::Tensor& gate, const at::Tensor& up) {
  check(gate, up);
  return Derivative::apply(gate, up);
}

}  // namespace promptloss::silu_mul
