// Each row is read twice while it lies in the cache, once for its size and once for its elements; nothing between is
// kept but the size.
#include "rms_norm.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "lanes.h"

namespace promptloss {
namespace {

/** Rows whose weight gradients are summed together, so that the sum does not depend on how many threads there are. */
constexpr int64_t kBlockRows = 64;

template <typename In, typename Weight, typename Out>
struct Norm {
  const In* input;
  const Weight* weight;
  float* scales;
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
    on.scales[r] = scale;
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
  const int64_t last = (block + 1) * kBlockRows < on.rows ? (block + 1) * kBlockRows : on.rows;
  for (int64_t r = block * kBlockRows; r < last; ++r) {
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
PROMPTLOSS_NORM(bfloats, BFloat16, BFloat16, BFloat16)
PROMPTLOSS_NORM(bfloats_widened, BFloat16, float, float)
PROMPTLOSS_NORM(bfloats_kept, BFloat16, float, BFloat16)

#undef PROMPTLOSS_NORM

template <typename T>
T* data(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

/** Tensors of one call; those that a direction does not have are undefined. */
struct Buffers {
  at::Tensor input, weight, scales, output, grad, grad_input, grad_weight;
};

template <typename In, typename Weight, typename Out>
Norm<In, Weight, Out> norm(const Buffers& on, const RmsNormInputs& inputs) {
  return {
      data<In>(on.input),
      data<Weight>(on.weight),
      on.scales.data_ptr<float>(),
      data<Out>(on.output),
      data<Out>(on.grad),
      data<In>(on.grad_input),
      data<float>(on.grad_weight),
      on.scales.numel(),
      on.weight.numel(),
      static_cast<float>(inputs.eps),
      static_cast<float>(inputs.weight_offset)};
}

/** Calls `run` with the operands and the kernels for their dtypes. */
template <typename Run>
void with_kernels(const Buffers& on, const RmsNormInputs& inputs, at::ScalarType out, const Run& run) {
  const bool narrow_out = out == at::kBFloat16;
  if (on.input.scalar_type() == at::kFloat) {
    if (narrow_out)
      run(norm<float, float, BFloat16>(on, inputs), &forward_floats_narrowed, &backward_floats_narrowed);
    else
      run(norm<float, float, float>(on, inputs), &forward_floats, &backward_floats);
  } else if (on.weight.scalar_type() == at::kBFloat16) {
    run(norm<BFloat16, BFloat16, BFloat16>(on, inputs), &forward_bfloats, &backward_bfloats);
  } else if (narrow_out) {
    run(norm<BFloat16, float, BFloat16>(on, inputs), &forward_bfloats_kept, &backward_bfloats_kept);
  } else {
    run(norm<BFloat16, float, float>(on, inputs), &forward_bfloats_widened, &backward_bfloats_widened);
  }
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> rms_norm_forward(const RmsNormInputs& inputs, at::ScalarType dtype) {
  const auto rows = inputs.input.numel() / inputs.weight.numel();
  Buffers on{inputs.input.contiguous(), inputs.weight.contiguous()};
  on.scales = at::empty({rows}, inputs.input.options().dtype(at::kFloat));
  on.output = at::empty(inputs.input.sizes(), inputs.input.options().dtype(dtype));
  with_kernels(on, inputs, dtype, [&](const auto& norm, auto* forward, auto*) {
    at::parallel_for(0, rows, kBlockRows, [&](int64_t begin, int64_t end) { forward(norm, begin, end); });
  });
  return {on.output, on.scales};
}

std::tuple<at::Tensor, at::Tensor> rms_norm_backward(
    const at::Tensor& grad, const RmsNormInputs& inputs, const at::Tensor& scales, bool weight_wanted) {
  const auto blocks = (scales.numel() + kBlockRows - 1) / kBlockRows;
  Buffers on{inputs.input.contiguous(), inputs.weight.contiguous(), scales};
  on.grad = grad.contiguous();
  on.grad_input = at::empty(on.input.sizes(), on.input.options());
  if (weight_wanted) on.grad_weight = at::zeros({blocks, inputs.weight.numel()}, scales.options());
  with_kernels(on, inputs, grad.scalar_type(), [&](const auto& norm, auto*, auto* backward) {
    at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) { backward(norm, begin, end); });
  });
  if (!weight_wanted) return {on.grad_input, at::Tensor()};
  return {on.grad_input, on.grad_weight.sum(0).to(inputs.weight.scalar_type())};
}

}  // namespace promptloss
