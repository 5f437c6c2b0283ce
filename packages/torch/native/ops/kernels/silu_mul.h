// silu(gate) · up, element by element.
#pragma once

#include <cstdint>

namespace promptloss {

/** Contiguous, `count` elements each, float32 or, where `halves`, bfloat16. */
struct SiluMul {
  bool halves;
  const void *gate, *up;
  int64_t count;
};

void silu_mul_forward(const SiluMul& on, void* output);

void silu_mul_backward(const SiluMul& on, const void* grad, void* grad_gate, void* grad_up);

}  // namespace promptloss
