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

/** Adds to the workspace's grad_key and grad_value, and writes the query's. */
template <typename T>
PROMPTLOSS_INLINE void backward_head(
    const Shape& shape, Head<const T> query, Head<const T> output, Head<const T> grad_output, Head<T> grad_query,
    const float* log_sums, Workspace& work) {
  const int64_t length = shape.length, width = shape.width;
  const float scale = shape.scale;
  const int64_t padded = rounded_up(length);
  for (int64_t first = 0; first < length; first += kQueries) {
    const int64_t rows = std::min(kQueries, length - first);
    const KeyBlock keys = keys_of(shape, first, rows);
    const int64_t stride = keys.padded(), seen = keys.end - keys.begin;
    read_rows<T>(query.from(first), rows, width, work.query.data());
    read_rows<T>(grad_output.from(first), rows, width, work.grad.data());
    read_rows<T>(output.from(first), rows, width, work.result.data());
    float* probabilities = work.scores.data();
    float* by_logits = work.other.data();
    multiply({work.query.data(), width, 1}, rows, work.key_t.data() + keys.begin, padded, width, stride,
             probabilities, stride, false);
    multiply({work.grad.data(), width, 1}, rows, work.value_t.data() + keys.begin, padded, width, stride, by_logits,
             stride, false);
    for (int64_t i = 0; i < rows; ++i) {
      float* row = probabilities + i * stride;
      const Floats shift = all(log_sums[first + i]);
      for (int64_t j = 0; j < stride; j += kLanes)
        store(row + j, exp_of_negative(load(row + j) * scale - shift));
      clear_unseen(shape, keys, first + i, row);
      Floats products = all(0);
      for (int64_t d = 0; d < width; d += kLanes)
        products += load(work.grad.data() + i * width + d) * load(work.result.data() + i * width + d);
      const Floats mean = all(sum(products));
      float* target = by_logits + i * stride;
      for (int64_t j = 0; j < stride; j += kLanes)
        store(target + j, load(row + j) * (load(target + j) - mean) * scale);
    }
    multiply({by_logits, stride, 1}, rows, work.key.data() + keys.begin * width, width, seen, width,
             work.result.data(), width, false);
    write_rows<T>(work.result.data(), rows, width, grad_query.from(first));
    // Left matrices are read by columns: tokens of keys down, queries along.
    multiply({by_logits, 1, stride}, seen, work.query.data(), width, rows, width,
             work.grad_key.data() + keys.begin * width, width, true);
    multiply({probabilities, 1, stride}, seen, work.grad.data(), width, rows, width,
             work.grad_value.data() + keys.begin * width, width, true);
  }
}

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

template <typename T>
PROMPTLOSS_INLINE void forward_task(const Operands<T>& on, int64_t task, Workspace& work) {
  const PackedAttention& call = on.call;
  const auto [shared, group, start, shape] = Task(call, task);
  work.fit(shape, false);
  for (int64_t head = group * shared; head < (group + 1) * shared; ++head)
    forward_head<T>(shape, on.head(on.query, start, head, call.heads), on.head(on.key, start, group, call.groups),
                    on.head(on.value, start, group, call.groups), on.head(on.result, start, head, call.heads),
                    on.log_sums + head * call.tokens + start, head == group * shared, work);
}

template <typename T>
PROMPTLOSS_INLINE void backward_task(const Operands<T>& on, int64_t task, Workspace& work) {
  const PackedAttention& call = on.call;
  const auto [shared, group, start, shape] = Task(call, task);
  const int64_t width = call.width;
  work.fit(shape, true);
  const int64_t padded = rounded_up(shape.length), elements = shape.length * width;
  read_rows(on.head(on.key, start, group, call.groups), shape.length, width, work.key.data());
  transpose(work.key.data(), shape.length, width, work.key_t.data(), padded);
  read_rows(on.head(on.value, start, group, call.groups), shape.length, width, work.value.data());
  transpose(work.value.data(), shape.length, width, work.value_t.data(), padded);
  std::fill_n(work.grad_key.data(), elements, 0.0f);
  std::fill_n(work.grad_value.data(), elements, 0.0f);
  for (int64_t head = group * shared; head < (group + 1) * shared; ++head)
    backward_head<T>(shape, on.head(on.query, start, head, call.heads), on.head(on.output, start, head, call.heads),
                     on.head(on.grad, start, head, call.heads), on.head(on.grad_query, start, head, call.heads),
                     on.sums + head * call.tokens + start, work);
  write_rows(work.grad_key.data(), shape.length, width, on.head(on.grad_key, start, group, call.groups));
  write_rows(work.grad_value.data(), shape.length, width, on.head(on.grad_value, start, group, call.groups));
}

// One function a dtype: clones are made of functions, not of templates.
PROMPTLOSS_CLONES void forward_floats(const Operands<float>& on, int64_t task, Workspace& work) {
  forward_task(on, task, work);
}
PROMPTLOSS_CLONES void forward_halves(const Operands<BFloat16>& on, int64_t task, Workspace& work) {
  forward_task(on, task, work);
}
PROMPTLOSS_CLONES void backward_floats(const Operands<float>& on, int64_t task, Workspace& work) {
  backward_task(on, task, work);
}
PROMPTLOSS_CLONES void backward_halves(const Operands<BFloat16>& on, int64_t task, Workspace& work) {
  backward_task(on, task, work);
}

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
    run(forward_operands<BFloat16>(on, output, log_sums), &forward_halves);
  else
    run(forward_operands<float>(on, output, log_sums), &forward_floats);
}

void packed_attention_backward(const PackedAttention& on, const PackedAttentionGradients& gradients) {
  if (on.halves)
    run(backward_operands<BFloat16>(on, gradients), &backward_halves);
  else
    run(backward_operands<float>(on, gradients), &backward_floats);
}

}  // namespace promptloss
