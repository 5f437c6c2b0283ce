// Rotary positions (Su et al., 2021) in one pass: (a, b) → (a cos − b sin, b cos + a sin) for the pairs of each head.
//
// Gains: composed of ATen's operators it cuts, negates, joins, multiplies twice and adds, seven passes over queries and
// keys; here each number is read and written once, and the backward pass is the same turn the other way. Measured by
// bench/src/torch. Vectors run along the pairs of a head, whose two parts lie half a head apart, so both are loads in order.
//
// Plain twin: mul, neg and cat (rotary-embedding.test.ts holds them together).
#include "rotary_embedding.h"

#include "lanes.h"
#include "share.h"

namespace promptloss {
namespace {

/** Elements a thread takes at a time, about. */
constexpr int64_t kGrain = 1 << 14;

template <typename T>
PROMPTLOSS_INLINE void turn_vector(const RotaryEmbedding& on, const T* from, T* to, const float* cos, const float* sin, int64_t i) {
  const Floats a = load(from + i), b = load(from + on.half + i);
  const Floats c = load(cos + i), s = load(sin + i) * on.direction;
  store(to + i, a * c - b * s);
  store(to + on.half + i, b * c + a * s);
}

/** (a, b) → (a cos − b sin, b cos + a sin) for the pairs of a head, which stand `half` apart; the rest stays. */
template <typename T>
PROMPTLOSS_INLINE void turn_tokens(const RotaryEmbedding& on, T* output, int64_t begin, int64_t end) {
  const auto* input = static_cast<const T*>(on.input);
  for (int64_t token = begin; token < end; ++token) {
    const float* cos = on.cos + token * on.half;
    const float* sin = on.sin + token * on.half;
    for (int64_t head = 0; head < on.heads; ++head) {
      const T* from = input + token * on.token_step + head * on.head_step;
      T* to = output + (token * on.heads + head) * on.units;
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
PROMPTLOSS_CLONES void turn_floats(const RotaryEmbedding& on, float* output, int64_t begin, int64_t end) {
  turn_tokens(on, output, begin, end);
}
PROMPTLOSS_CLONES void turn_halves(const RotaryEmbedding& on, BFloat16* output, int64_t begin, int64_t end) {
  turn_tokens(on, output, begin, end);
}

}  // namespace

void rotary_embedding(const RotaryEmbedding& on, void* output) {
  const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, on.heads * on.units));
  divide(on.tokens, grain, [&](int64_t begin, int64_t end) {
    if (on.halves)
      turn_halves(on, static_cast<BFloat16*>(output), begin, end);
    else
      turn_floats(on, static_cast<float*>(output), begin, end);
  });
}

}  // namespace promptloss
