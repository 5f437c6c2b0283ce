// The kernels of packed_attention.cpp, for each_processor.h.

#include "attention_lanes.h"

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

inline void forward_floats(const Operands<float>& on, int64_t task, Workspace& work) {
  forward_task(on, task, work);
}
inline void forward_halves(const Operands<BFloat16>& on, int64_t task, Workspace& work) {
  forward_task(on, task, work);
}
inline void backward_floats(const Operands<float>& on, int64_t task, Workspace& work) {
  backward_task(on, task, work);
}
inline void backward_halves(const Operands<BFloat16>& on, int64_t task, Workspace& work) {
  backward_task(on, task, work);
}
