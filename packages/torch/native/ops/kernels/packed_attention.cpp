// Attention of sequences that lie end to end: softmax(scale · query · keyᵀ) · value, each token over itself and those
// before it in its sequence.
//
// Gains: nothing is computed for padding or for other sequences, as an attention with a mask does, and no scores are
// written to memory; a libtorch attention a sequence at a time starts an operator for each. Measured by
// bench/src/torch. One sequence and one head of keys is a task: keys and values are widened to float32 once for all the
// heads of queries that share them, and 32 queries at a time meet them, so that a block of scores stays in the first
// cache. The backward pass computes the probabilities anew from the kept sums of the softmaxes.
//
// Plain twin: scaled_dot_product_attention, a sequence at a time (packed-attention.test.ts holds them together).
#include "packed_attention.h"

#include "attention_heads.h"
#include "share.h"

namespace promptloss {
namespace {

/** A call's memory in one dtype. */
template <typename T>
struct Operands {
  const T *query, *key, *value, *output, *grad;
  T *result, *grad_query, *grad_key, *grad_value;
  const float* sums;
  float* log_sums;
  const PackedAttention& call;

  template <typename U>
  Head<U> head(U* data, int64_t start, int64_t index, int64_t count) const {
    return {data + (start * count + index) * call.width, count * call.width};
  }
};

/** One sequence and head of keys; they are numbered sequence first. */
struct Task {
  Task(const PackedAttention& on, int64_t task)
      : shared(on.heads / on.groups),
        group(task % on.groups),
        start(on.starts[task / on.groups]),
        shape{on.starts[task / on.groups + 1] - start, on.width, on.scale, on.window} {}

  int64_t shared, group, start;
  Shape shape;
};

}  // namespace
}  // namespace promptloss

#define PROMPTLOSS_KERNELS "packed_attention_lanes.h"
#include "each_processor.h"

namespace promptloss {
namespace {

template <typename T>
void run(const Operands<T>& on, void (*kernel)(const Operands<T>&, int64_t, Workspace&)) {
  share(on.call.sequences * on.call.groups, [&](int64_t task) {
    thread_local Workspace work;
    const Trimmed<Workspace> trimmed(work);
    kernel(on, task, work);
  });
}

template <typename T>
const T* as(const void* data) {
  return static_cast<const T*>(data);
}

template <typename T>
Operands<T> forward_operands(const PackedAttention& on, void* output, float* log_sums) {
  return {as<T>(on.query), as<T>(on.key), as<T>(on.value), nullptr, nullptr, static_cast<T*>(output),
          nullptr,         nullptr,       nullptr,         nullptr, log_sums, on};
}

template <typename T>
Operands<T> backward_operands(const PackedAttention& on, const PackedAttentionGradients& of) {
  return {as<T>(on.query),           as<T>(on.key),           as<T>(on.value),
          as<T>(of.output),          as<T>(of.grad),          nullptr,
          static_cast<T*>(of.query), static_cast<T*>(of.key), static_cast<T*>(of.value),
          of.log_sums,               nullptr,                 on};
}

}  // namespace

void packed_attention_forward(const PackedAttention& on, void* output, float* log_sums) {
  if (on.halves)
    run(forward_operands<BFloat16>(on, output, log_sums), PROMPTLOSS_CHOSEN(forward_halves));
  else
    run(forward_operands<float>(on, output, log_sums), PROMPTLOSS_CHOSEN(forward_floats));
}

void packed_attention_backward(const PackedAttention& on, const PackedAttentionGradients& gradients) {
  if (on.halves)
    run(backward_operands<BFloat16>(on, gradients), PROMPTLOSS_CHOSEN(backward_halves));
  else
    run(backward_operands<float>(on, gradients), PROMPTLOSS_CHOSEN(backward_floats));
}

}  // namespace promptloss
