// Rotary positions in one pass, forward and backward: the operator promptloss::rotary_embedding. First order only.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "lanes.h"

namespace promptloss {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** Elements a thread takes at a time, about. */
constexpr int64_t kGrain = 1 << 14;

template <typename T>
struct Turn {
  const T* input;
  int64_t token_stride, head_stride;
  T* output;  // contiguous
  const float *cos, *sin;
  float direction;  // -1 turns back
  int64_t heads, units, half;
};

PROMPTLOSS_INLINE void put(float* to, float value) { *to = value; }

PROMPTLOSS_INLINE void put(BFloat16* to, float value) {
  BFloat16 lanes[kLanes];
  store(lanes, all(value));
  *to = lanes[0];
}

template <typename T>
PROMPTLOSS_INLINE void turn_vector(const Turn<T>& on, const T* from, T* to, const float* cos, const float* sin, int64_t i) {
  const Floats a = load(from + i), b = load(from + on.half + i);
  const Floats c = load(cos + i), s = load(sin + i) * on.direction;
  store(to + i, a * c - b * s);
  store(to + on.half + i, b * c + a * s);
}

/** (a, b) → (a cos − b sin, b cos + a sin) for the pairs of a head, which stand `half` apart; the rest stays. */
template <typename T>
PROMPTLOSS_INLINE void turn_tokens(const Turn<T>& on, int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    const float* cos = on.cos + token * on.half;
    const float* sin = on.sin + token * on.half;
    for (int64_t head = 0; head < on.heads; ++head) {
      const T* from = on.input + token * on.token_stride + head * on.head_stride;
      T* to = on.output + (token * on.heads + head) * on.units;
      if (on.half >= kLanes) {
        // The last vector begins where it ends with the pairs: it may turn some of them again, to the same.
        for (int64_t i = 0; i < on.half; i += kLanes) turn_vector(on, from, to, cos, sin, std::min(i, on.half - kLanes));
      } else {
        for (int64_t i = 0; i < on.half; ++i) {
          const float a = to_float(from[i]), b = to_float(from[on.half + i]);
          const float c = cos[i], s = sin[i] * on.direction;
          put(to + i, a * c - b * s);
          put(to + on.half + i, b * c + a * s);
        }
      }
      for (int64_t i = 2 * on.half; i < on.units; ++i) to[i] = from[i];
    }
  }
}

// One function a dtype: clones are made of functions, not of templates.
PROMPTLOSS_CLONES void turn_floats(const Turn<float>& on, int64_t begin, int64_t end) { turn_tokens(on, begin, end); }
PROMPTLOSS_CLONES void turn_bfloats(const Turn<BFloat16>& on, int64_t begin, int64_t end) { turn_tokens(on, begin, end); }

at::Tensor turned(const at::Tensor& given, const at::Tensor& cos, const at::Tensor& sin, float direction) {
  const auto input = given.stride(2) == 1 ? given : given.contiguous();
  const auto output = at::empty(input.sizes(), input.options());
  const auto run = [&](auto* elements, auto* kernel) {
    using T = std::remove_pointer_t<decltype(elements)>;
    const auto work = input.size(1) * input.size(2);
    const Turn<T> on{
        elements, input.stride(0), input.stride(1), static_cast<T*>(output.data_ptr()), cos.data_ptr<float>(),
        sin.data_ptr<float>(), direction, input.size(1), input.size(2), cos.size(-1)};
    at::parallel_for(0, input.size(0), std::max<int64_t>(1, kGrain / std::max<int64_t>(1, work)),
                     [&](int64_t begin, int64_t end) { kernel(on, begin, end); });
  };
  if (input.scalar_type() == at::kFloat)
    run(static_cast<float*>(input.data_ptr()), &turn_floats);
  else
    run(static_cast<BFloat16*>(input.data_ptr()), &turn_bfloats);
  return output;
}

void check(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
  const char* op = "rotary_embedding: ";
  TORCH_CHECK(input.dim() == 3, op, "input must have shape [tokens, heads, units], got ", input.sizes());
  TORCH_CHECK(input.is_cpu(), op, "input must be on the CPU, got ", input.device());
  TORCH_CHECK(
      input.scalar_type() == at::kFloat || input.scalar_type() == at::kBFloat16, op,
      "input must be float32 or bfloat16, got ", input.scalar_type());
  for (const auto& [name, table] : {std::pair<const char*, at::Tensor>{"cos", cos}, {"sin", sin}}) {
    TORCH_CHECK(
        table.is_cpu() && table.scalar_type() == at::kFloat, op, name, " must be float32 on the CPU, got ",
        table.scalar_type(), " on ", table.device());
    TORCH_CHECK(!table.requires_grad(), op, name, " must not want a gradient");
    TORCH_CHECK(
        table.dim() == 3 && table.size(0) == input.size(0) && table.size(1) == 1 && table.size(2) > 0 &&
            2 * table.size(2) <= input.size(2) && table.sizes() == cos.sizes(),
        op, name, " must have shape [tokens, 1, pairs] for the input's ", input.sizes(), ", got ", table.sizes());
  }
}

struct RotaryEmbedding : torch::autograd::Function<RotaryEmbedding> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
    ctx->save_for_backward({cos, sin});
    return turned(input, cos, sin, 1);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(), "rotary_embedding: second derivatives are not implemented",
        "\nhint: compose it of mul and cat for a gradient of a gradient");
    const auto saved = ctx->get_saved_variables();
    return {turned(gradients[0], saved[0], saved[1], -1), at::Tensor(), at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
  check(input, cos, sin);
  return turned(input, cos.contiguous(), sin.contiguous(), 1);
}

at::Tensor differentiable(const at::Tensor& input, const at::Tensor& cos, const at::Tensor& sin) {
  check(input, cos, sin);
  return RotaryEmbedding::apply(input, cos.contiguous(), sin.contiguous());
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("rotary_embedding(Tensor input, Tensor cos, Tensor sin) -> Tensor");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("rotary_embedding", promptloss::plain);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("rotary_embedding", promptloss::differentiable);
}
