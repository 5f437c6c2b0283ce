// silu(gate) · up = gate · σ(gate) · up in one pass, forward and backward.
//
// Gains: composed of ATen's operators it is two passes forward and five backward over the widest activations of a model,
// and it is bound by memory; here each number is read and written once, and σ is not kept. Measured by bench/src/torch.
//
// Plain twin: mul(silu(gate), up) (silu-mul.test.ts holds them together).
#include "silu_mul.h"

#include "lanes.h"
#include "share.h"

namespace promptloss {
namespace {

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
PROMPTLOSS_CLONES void forward_halves(const Gated<BFloat16>& on, int64_t begin, int64_t end) { forward_range(on, begin, end); }
PROMPTLOSS_CLONES void backward_floats(const Gated<float>& on, int64_t begin, int64_t end) { backward_range(on, begin, end); }
PROMPTLOSS_CLONES void backward_halves(const Gated<BFloat16>& on, int64_t begin, int64_t end) { backward_range(on, begin, end); }

template <typename T>
Gated<T> gated(const SiluMul& on, void* output, const void* grad, void* grad_gate, void* grad_up) {
  return {static_cast<const T*>(on.gate), static_cast<const T*>(on.up), static_cast<T*>(output),
          static_cast<const T*>(grad),    static_cast<T*>(grad_gate),   static_cast<T*>(grad_up)};
}

template <typename T>
void run(const Gated<T>& on, int64_t count, void (*kernel)(const Gated<T>&, int64_t, int64_t)) {
  divide(count, kGrain, [&](int64_t begin, int64_t end) { kernel(on, begin, end); });
}

}  // namespace

void silu_mul_forward(const SiluMul& on, void* output) {
  if (on.halves)
    run(gated<BFloat16>(on, output, nullptr, nullptr, nullptr), on.count, &forward_halves);
  else
    run(gated<float>(on, output, nullptr, nullptr, nullptr), on.count, &forward_floats);
}

void silu_mul_backward(const SiluMul& on, const void* grad, void* grad_gate, void* grad_up) {
  if (on.halves)
    run(gated<BFloat16>(on, nullptr, grad, grad_gate, grad_up), on.count, &backward_halves);
  else
    run(gated<float>(on, nullptr, grad, grad_gate, grad_up), on.count, &backward_floats);
}

}  // namespace promptloss
