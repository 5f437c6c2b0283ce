// silu(gate) · up in one pass, forward and backward: the operator promptloss::silu_mul. First order only.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "lanes.h"

namespace promptloss {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** Elements a thread takes at a time; of whole vectors, so that only the last range has an odd end. */
constexpr int64_t kGrain = 1 << 14;

template <typename T>
struct Gated {
  const T *gate, *up;
  T* output;
  const T* grad;
  T *grad_gate, *grad_up;
};

PROMPTLOSS_INLINE Floats sigmoid(Floats x) {
  const Floats e = exp_of_negative(x > all(0) ? -x : x);
  return (x > all(0) ? all(1) : e) / (e + 1.0f);
}

template <typename T>
PROMPTLOSS_INLINE void forward_vector(const T* gate, const T* up, T* output) {
  const Floats x = load(gate);
  store(output, x * sigmoid(x) * load(up));
}

/** d silu(x) / dx = s (1 + x (1 − s)). */
template <typename T>
PROMPTLOSS_INLINE void backward_vector(const T* gate, const T* up, const T* grad, T* grad_gate, T* grad_up) {
  const Floats x = load(gate), own = load(grad), s = sigmoid(x);
  store(grad_gate, own * load(up) * s * (x * (1.0f - s) + 1.0f));
  store(grad_up, own * x * s);
}

/** Fewer elements than a vector has: they are computed in a whole one. */
template <typename T>
struct Padded {
  T lanes[kLanes] = {};
  Padded() = default;
  Padded(const T* from, int64_t count) {
    for (int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  }
  void copy_to(T* to, int64_t count) const {
    for (int64_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
};

template <typename T>
PROMPTLOSS_INLINE void forward_range(const Gated<T>& on, int64_t begin, int64_t end) {
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes) forward_vector(on.gate + i, on.up + i, on.output + i);
  if (i == end) return;
  const Padded<T> gate(on.gate + i, end - i), up(on.up + i, end - i);
  Padded<T> output;
  forward_vector(gate.lanes, up.lanes, output.lanes);
  output.copy_to(on.output + i, end - i);
}

template <typename T>
PROMPTLOSS_INLINE void backward_range(const Gated<T>& on, int64_t begin, int64_t end) {
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes)
    backward_vector(on.gate + i, on.up + i, on.grad + i, on.grad_gate + i, on.grad_up + i);
  if (i == end) return;
  const Padded<T> gate(on.gate + i, end - i), up(on.up + i, end - i), grad(on.grad + i, end - i);
  Padded<T> grad_gate, grad_up;
  backward_vector(gate.lanes, up.lanes, grad.lanes, grad_gate.lanes, grad_up.lanes);
  grad_gate.copy_to(on.grad_gate + i, end - i);
  grad_up.copy_to(on.grad_up + i, end - i);
}

// One function a dtype: clones are made of functions, not of templates.
PROMPTLOSS_CLONES void forward_floats(const Gated<float>& on, int64_t begin, int64_t end) { forward_range(on, begin, end); }
PROMPTLOSS_CLONES void forward_bfloats(const Gated<BFloat16>& on, int64_t begin, int64_t end) { forward_range(on, begin, end); }
PROMPTLOSS_CLONES void backward_floats(const Gated<float>& on, int64_t begin, int64_t end) { backward_range(on, begin, end); }
PROMPTLOSS_CLONES void backward_bfloats(const Gated<BFloat16>& on, int64_t begin, int64_t end) { backward_range(on, begin, end); }

template <typename T>
T* data(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

/** Contiguous tensors of one call; those that a direction does not have are undefined. */
struct Buffers {
  at::Tensor gate, up, output, grad, grad_gate, grad_up;

  template <typename T>
  Gated<T> as() const {
    return {data<T>(gate), data<T>(up), data<T>(output), data<T>(grad), data<T>(grad_gate), data<T>(grad_up)};
  }
};

at::Tensor forward(const at::Tensor& gate, const at::Tensor& up) {
  const Buffers on{gate.contiguous(), up.contiguous(), at::empty(gate.sizes(), gate.options())};
  at::parallel_for(0, gate.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (gate.scalar_type() == at::kFloat)
      forward_floats(on.as<float>(), begin, end);
    else
      forward_bfloats(on.as<BFloat16>(), begin, end);
  });
  return on.output;
}

variable_list backward(const at::Tensor& grad, const at::Tensor& gate, const at::Tensor& up) {
  Buffers on{gate.contiguous(), up.contiguous()};
  on.grad = grad.contiguous();
  on.grad_gate = at::empty(gate.sizes(), gate.options());
  on.grad_up = at::empty(gate.sizes(), gate.options());
  at::parallel_for(0, gate.numel(), kGrain, [&](int64_t begin, int64_t end) {
    if (gate.scalar_type() == at::kFloat)
      backward_floats(on.as<float>(), begin, end);
    else
      backward_bfloats(on.as<BFloat16>(), begin, end);
  });
  return {on.grad_gate, on.grad_up};
}

void check(const at::Tensor& gate, const at::Tensor& up) {
  const char* op = "silu_mul: ";
  TORCH_CHECK(gate.is_cpu() && up.is_cpu(), op, "gate and up must be on the CPU, got ", gate.device(), " and ", up.device());
  TORCH_CHECK(
      gate.scalar_type() == at::kFloat || gate.scalar_type() == at::kBFloat16, op,
      "gate must be float32 or bfloat16, got ", gate.scalar_type());
  TORCH_CHECK(
      up.scalar_type() == gate.scalar_type() && up.sizes() == gate.sizes(), op, "up must have gate's dtype and shape, ",
      gate.scalar_type(), " ", gate.sizes(), ", got ", up.scalar_type(), " ", up.sizes());
}

struct SiluMul : torch::autograd::Function<SiluMul> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up) {
    ctx->save_for_backward({gate, up});
    return promptloss::forward(gate, up);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(), "silu_mul: second derivatives are not implemented",
        "\nhint: compose it of silu and mul for a gradient of a gradient");
    const auto saved = ctx->get_saved_variables();
    return promptloss::backward(gradients[0], saved[0], saved[1]);
  }
};

at::Tensor plain(const at::Tensor& gate, const at::Tensor& up) {
  check(gate, up);
  return forward(gate, up);
}

at::Tensor differentiable(const at::Tensor& gate, const at::Tensor& up) {
  check(gate, up);
  return SiluMul::apply(gate, up);
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("silu_mul(Tensor gate, Tensor up) -> Tensor");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("silu_mul", promptloss::plain);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("silu_mul", promptloss::differentiable);
}
