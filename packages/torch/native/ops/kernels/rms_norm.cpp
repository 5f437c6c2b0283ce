// RMS norm: input · (weight + offset) / √(mean of the row's squares + eps), forward and backward.
//
// Gains: composed of ATen's operators it is five passes forward and more backward; here each row is read twice while it
// lies in the cache, once for its size and once for its elements, and nothing between is kept but the size. Under autocast
// the result is rounded at once to what the products take. Measured by bench/src/torch.
//
// Plain twin: square, mean, rsqrt and mul (rms-norm.test.ts holds them together).
#include "rms_norm.h"

#include <cmath>

#include "lanes.h"
#include "share.h"

namespace promptloss {
namespace {

template <typename In, typename Weight, typename Out>
struct Norm {
  const In* input;
  const Weight* weight;
  const float* scales;
  float* new_scales;
  Out* output;
  const Out* grad;
  In* grad_input;
  float* grad_weight;  // [blocks, units], or null
  int64_t rows;
  int64_t units;
  float eps;
  float offset;
};

PROMPTLOSS_INLINE Floats rounded_as(const float*, Floats value) { return value; }

PROMPTLOSS_INLINE Floats rounded_as(const BFloat16*, Floats value) {
  BFloat16 lanes[kLanes];
  store(lanes, value);
  return load(lanes);
}

template <typename In, typename Weight, typename Out>
PROMPTLOSS_INLINE void forward_rows(const Norm<In, Weight, Out>& on, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; ++r) {
    const In* input = on.input + r * on.units;
    Floats squares = all(0);
    for (int64_t d = 0; d < on.units; d += kLanes) {
      const Floats x = load(input + d);
      squares += x * x;
    }
    const float scale = 1 / std::sqrt(sum(squares) / static_cast<float>(on.units) + on.eps);
    on.new_scales[r] = scale;
    for (int64_t d = 0; d < on.units; d += kLanes) {
      // Families without an offset round to the input's dtype before they multiply by the weight.
      const Floats even = load(input + d) * scale;
      const Floats normal = on.offset == 0 ? rounded_as(input, even) : even;
      store(on.output + r * on.units + d, normal * (load(on.weight + d) + on.offset));
    }
  }
}

template <typename In, typename Weight, typename Out>
PROMPTLOSS_INLINE void backward_block(const Norm<In, Weight, Out>& on, int64_t block) {
  float* grad_weight = on.grad_weight == nullptr ? nullptr : on.grad_weight + block * on.units;
  const int64_t last = (block + 1) * kRmsNormBlock < on.rows ? (block + 1) * kRmsNormBlock : on.rows;
  for (int64_t r = block * kRmsNormBlock; r < last; ++r) {
    const In* input = on.input + r * on.units;
    const Out* grad = on.grad + r * on.units;
    const float scale = on.scales[r];
    Floats products = all(0);
    for (int64_t d = 0; d < on.units; d += kLanes) {
      const Floats own = load(grad + d), normal = load(input + d) * scale;
      products += own * (load(on.weight + d) + on.offset) * normal;
      if (grad_weight != nullptr) store(grad_weight + d, load(grad_weight + d) + own * normal);
    }
    const float mean = sum(products) / static_cast<float>(on.units);
    for (int64_t d = 0; d < on.units; d += kLanes) {
      const Floats normal = load(input + d) * scale;
      const Floats weighted = load(grad + d) * (load(on.weight + d) + on.offset);
      store(on.grad_input + r * on.units + d, (weighted - normal * mean) * scale);
    }
  }
}

// One function a combination of dtypes: clones are made of functions, not of templates.
#define PROMPTLOSS_NORM(NAME, IN, WEIGHT, OUT)                                                             \
  PROMPTLOSS_CLONES void forward_##NAME(const Norm<IN, WEIGHT, OUT>& on, int64_t begin, int64_t end) {      \
    forward_rows(on, begin, end);                                                                          \
  }                                                                                                        \
  PROMPTLOSS_CLONES void backward_##NAME(const Norm<IN, WEIGHT, OUT>& on, int64_t begin, int64_t end) {     \
    for (int64_t block = begin; block < end; ++block) backward_block(on, block);                           \
  }

PROMPTLOSS_NORM(floats, float, float, float)
PROMPTLOSS_NORM(floats_narrowed, float, float, BFloat16)
PROMPTLOSS_NORM(halves, BFloat16, BFloat16, BFloat16)
PROMPTLOSS_NORM(halves_widened, BFloat16, float, float)
PROMPTLOSS_NORM(halves_kept, BFloat16, float, BFloat16)

#undef PROMPTLOSS_NORM

/** A call's memory, before the dtypes are known. */
struct Memory {
  const float* scales;
  float* new_scales;
  void* output;
  const void* grad;
  void* grad_input;
  float* grad_weight;
};

template <typename In, typename Weight, typename Out>
Norm<In, Weight, Out> norm(const RmsNorm& on, const Memory& memory) {
  return {static_cast<const In*>(on.input),
          static_cast<const Weight*>(on.weight),
          memory.scales,
          memory.new_scales,
          static_cast<Out*>(memory.output),
          static_cast<const Out*>(memory.grad),
          static_cast<In*>(memory.grad_input),
          memory.grad_weight,
          on.rows,
          on.units,
          on.eps,
          on.offset};
}

/** Calls `run` with the operands and the kernels for their dtypes. */
template <typename Run>
void with_kernels(const RmsNorm& on, const Memory& memory, const Run& run) {
  if (!on.input_halves) {
    if (on.output_halves)
      run(norm<float, float, BFloat16>(on, memory), &forward_floats_narrowed, &backward_floats_narrowed);
    else
      run(norm<float, float, float>(on, memory), &forward_floats, &backward_floats);
  } else if (on.weight_halves) {
    run(norm<BFloat16, BFloat16, BFloat16>(on, memory), &forward_halves, &backward_halves);
  } else if (on.output_halves) {
    run(norm<BFloat16, float, BFloat16>(on, memory), &forward_halves_kept, &backward_halves_kept);
  } else {
    run(norm<BFloat16, float, float>(on, memory), &forward_halves_widened, &backward_halves_widened);
  }
}

}  // namespace

void rms_norm_forward(const RmsNorm& on, void* output, float* scales) {
  with_kernels(on, {scales, scales, output, nullptr, nullptr, nullptr}, [&](const auto& norm, auto* forward, auto*) {
    divide(on.rows, kRmsNormBlock, [&](int64_t begin, int64_t end) { forward(norm, begin, end); });
  });
}

void rms_norm_backward(const RmsNorm& on, const float* scales, const void* grad, void* grad_input, float* grad_weight) {
  const int64_t blocks = (on.rows + kRmsNormBlock - 1) / kRmsNormBlock;
  with_kernels(on, {scales, nullptr, nullptr, grad, grad_input, grad_weight}, [&](const auto& norm, auto*, auto* backward) {
    divide(blocks, 1, [&](int64_t begin, int64_t end) { backward(norm, begin, end); });
  });
}

}  // namespace promptloss
