// One sequence and one head of keys at a time, in float32: 64 queries against the keys that they see, scores and
// probabilities in the cache. The backward pass computes the probabilities anew from the kept sums.
#include "packed_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "share.h"
#include "tiles.h"

namespace promptloss {
namespace {

constexpr int64_t kQueries = 32;

int64_t rounded_up(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

/** One head of a packed tensor: token t's units are at data + t * row. */
template <typename T>
struct Head {
  T* data;
  int64_t row;
};

/** The tokens of one sequence, and the units of a head. */
struct Shape {
  int64_t length;
  int64_t width;
  float scale;
  int64_t window;

  /** The first key that a query sees. */
  int64_t first_key(int64_t query) const { return window > 0 ? std::max<int64_t>(0, query - window + 1) : 0; }
};

template <typename T>
PROMPTLOSS_INLINE void read_rows(Head<const T> from, int64_t rows, int64_t width, float* to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t d = 0; d < width; d += kLanes) store(to + i * width + d, load(from.data + i * from.row + d));
}

template <typename T>
PROMPTLOSS_INLINE void write_rows(const float* from, int64_t rows, int64_t width, Head<T> to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t d = 0; d < width; d += kLanes) store(to.data + i * to.row + d, load(from + i * width + d));
}

/** [rows, width] → [width, padded rows]; the padding is 0. */
PROMPTLOSS_INLINE void transpose(const float* from, int64_t rows, int64_t width, float* to, int64_t to_row) {
  for (int64_t d = 0; d < width; ++d) {
    for (int64_t i = 0; i < rows; ++i) to[d * to_row + i] = from[i * width + d];
    for (int64_t i = rows; i < to_row; ++i) to[d * to_row + i] = 0;
  }
}

/** Keys from `begin` to `end`, a block of whole vectors, that some query of a block sees. */
struct KeyBlock {
  int64_t begin;
  int64_t end;
  int64_t padded() const { return rounded_up(end) - begin; }
};

PROMPTLOSS_INLINE KeyBlock keys_of(const Shape& shape, int64_t first, int64_t rows) {
  return {shape.first_key(first) / kLanes * kLanes, first + rows};
}

/** What queries do not see, above the diagonal and before the window, becomes 0 in a row of a block. */
PROMPTLOSS_INLINE void clear_unseen(const Shape& shape, const KeyBlock& keys, int64_t query, float* row) {
  for (int64_t j = keys.begin; j < shape.first_key(query); ++j) row[j - keys.begin] = 0;
  for (int64_t j = query + 1; j < keys.begin + keys.padded(); ++j) row[j - keys.begin] = 0;
}

/** Buffers of one thread, grown to the longest sequence. */
struct Workspace {
  std::vector<float> query, key, value, key_t, value_t, scores, other, result, grad, grad_key, grad_value;

  void fit(const Shape& shape, bool backward) {
    const auto padded = static_cast<size_t>(rounded_up(shape.length));
    const auto block = static_cast<size_t>(kQueries);
    const auto width = static_cast<size_t>(shape.width);
    const auto grow = [](std::vector<float>& buffer, size_t size) {
      if (buffer.size() < size) buffer.resize(size);
    };
    for (auto* each : {&query, &result}) grow(*each, block * width);
    for (auto* each : {&key, &value, &key_t}) grow(*each, padded * width);
    grow(scores, block * padded);
    if (!backward) return;
    grow(grad, block * width);
    for (auto* each : {&value_t, &grad_key, &grad_value}) grow(*each, padded * width);
    grow(other, block * padded);
  }
};

/** Probabilities of queries `first` … in `scores`, from logits there; e^logit's sums' logarithms in `log_sums`. */
PROMPTLOSS_INLINE void softmax_block(
    const Shape& shape, const KeyBlock& keys, int64_t first, int64_t rows, float* scores, float* log_sums) {
  const int64_t stride = keys.padded();
  for (int64_t i = 0; i < rows; ++i) {
    float* row = scores + i * stride;
    const int64_t query = first + i;
    const int64_t from = shape.first_key(query) - keys.begin, to = query + 1 - keys.begin;
    float most = -INFINITY;
    for (int64_t j = from; j < to; ++j) most = row[j] > most ? row[j] : most;
    const Floats shift = all(most * shape.scale);
    for (int64_t j = 0; j < stride; j += kLanes) store(row + j, exp_of_negative(load(row + j) * shape.scale - shift));
    clear_unseen(shape, keys, query, row);
    Floats sums = all(0);
    for (int64_t j = 0; j < stride; j += kLanes) sums += load(row + j);
    const float mass = sum(sums);
    const float factor = 1 / mass;
    for (int64_t j = 0; j < stride; j += kLanes) store(row + j, load(row + j) * factor);
    log_sums[query] = most * shape.scale + std::log(mass);
  }
}

template <typename T>
PROMPTLOSS_INLINE void forward_head(
    const Shape& shape, Head<const T> query, Head<const T> key, Head<const T> value, Head<T> output, float* log_sums,
    bool new_keys, Workspace& work) {
  const auto [length, width, scale, window] = shape;
  const int64_t padded = rounded_up(length);
  if (new_keys) {
    read_rows(key, length, width, work.key.data());
    transpose(work.key.data(), length, width, work.key_t.data(), padded);
    read_rows(value, length, width, work.value.data());
  }
  for (int64_t first = 0; first < length; first += kQueries) {
    const int64_t rows = std::min(kQueries, length - first);
    const KeyBlock keys = keys_of(shape, first, rows);
    const int64_t stride = keys.padded();
    read_rows<T>({query.data + first * query.row, query.row}, rows, width, work.query.data());
    multiply({work.query.data(), width, 1}, rows, work.key_t.data() + keys.begin, padded, width, stride,
             work.scores.data(), stride, false);
    softmax_block(shape, keys, first, rows, work.scores.data(), log_sums);
    multiply({work.scores.data(), stride, 1}, rows, work.value.data() + keys.begin * width, width,
             keys.end - keys.begin, width, work.result.data(), width, false);
    write_rows<T>(work.result.data(), rows, width, {output.data + first * output.row, output.row});
  }
}

/** Adds to the workspace's grad_key and grad_value, and writes the query's. */
template <typename T>
PROMPTLOSS_INLINE void backward_head(
    const Shape& shape, Head<const T> query, Head<const T> output, Head<const T> grad_output, Head<T> grad_query,
    const float* log_sums, Workspace& work) {
  const auto [length, width, scale, window] = shape;
  const int64_t padded = rounded_up(length);
  for (int64_t first = 0; first < length; first += kQueries) {
    const int64_t rows = std::min(kQueries, length - first);
    const KeyBlock keys = keys_of(shape, first, rows);
    const int64_t stride = keys.padded(), seen = keys.end - keys.begin;
    read_rows<T>({query.data + first * query.row, query.row}, rows, width, work.query.data());
    read_rows<T>({grad_output.data + first * grad_output.row, grad_output.row}, rows, width, work.grad.data());
    read_rows<T>({output.data + first * output.row, output.row}, rows, width, work.result.data());
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
    write_rows<T>(work.result.data(), rows, width, {grad_query.data + first * grad_query.row, grad_query.row});
    // Left matrices are read by columns: tokens of keys down, queries along.
    multiply({by_logits, 1, stride}, seen, work.query.data(), width, rows, width,
             work.grad_key.data() + keys.begin * width, width, true);
    multiply({probabilities, 1, stride}, seen, work.grad.data(), width, rows, width,
             work.grad_value.data() + keys.begin * width, width, true);
  }
}

/** Raw views of what a call works on, in one dtype. */
template <typename T>
struct Operands {
  const T *query, *key, *value, *output, *grad;
  T *result, *grad_query, *grad_key, *grad_value;
  float* log_sums;
  int64_t tokens, heads, groups, width;
  const std::vector<int64_t>* starts;
  float scale;
  int64_t window;

  template <typename U>
  Head<U> head(U* data, int64_t start, int64_t index, int64_t count) const {
    return {data + (start * count + index) * width, count * width};
  }
};

/** One sequence and head of keys; they are numbered sequence first. */
template <typename T>
PROMPTLOSS_INLINE void forward_task(const Operands<T>& on, int64_t task) {
  thread_local Workspace work;
  const int64_t shared = on.heads / on.groups;
  const int64_t sequence = task / on.groups, group = task % on.groups;
  const int64_t start = (*on.starts)[sequence];
  const Shape shape{(*on.starts)[sequence + 1] - start, on.width, on.scale, on.window};
  work.fit(shape, false);
  for (int64_t head = group * shared; head < (group + 1) * shared; ++head)
    forward_head<T>(shape, on.head(on.query, start, head, on.heads), on.head(on.key, start, group, on.groups),
                    on.head(on.value, start, group, on.groups), on.head(on.result, start, head, on.heads),
                    on.log_sums + head * on.tokens + start, head == group * shared, work);
}

template <typename T>
PROMPTLOSS_INLINE void backward_task(const Operands<T>& on, int64_t task) {
  thread_local Workspace work;
  const int64_t shared = on.heads / on.groups;
  const int64_t sequence = task / on.groups, group = task % on.groups;
  const int64_t start = (*on.starts)[sequence];
  const Shape shape{(*on.starts)[sequence + 1] - start, on.width, on.scale, on.window};
  work.fit(shape, true);
  const int64_t padded = rounded_up(shape.length), elements = shape.length * on.width;
  read_rows(on.head(on.key, start, group, on.groups), shape.length, on.width, work.key.data());
  transpose(work.key.data(), shape.length, on.width, work.key_t.data(), padded);
  read_rows(on.head(on.value, start, group, on.groups), shape.length, on.width, work.value.data());
  transpose(work.value.data(), shape.length, on.width, work.value_t.data(), padded);
  std::fill_n(work.grad_key.begin(), elements, 0.0f);
  std::fill_n(work.grad_value.begin(), elements, 0.0f);
  for (int64_t head = group * shared; head < (group + 1) * shared; ++head)
    backward_head<T>(shape, on.head(on.query, start, head, on.heads), on.head(on.output, start, head, on.heads),
                     on.head(on.grad, start, head, on.heads), on.head(on.grad_query, start, head, on.heads),
                     on.log_sums + head * on.tokens + start, work);
  write_rows(work.grad_key.data(), shape.length, on.width, on.head(on.grad_key, start, group, on.groups));
  write_rows(work.grad_value.data(), shape.length, on.width, on.head(on.grad_value, start, group, on.groups));
}

// One function a dtype: clones are made of functions, not of templates.
PROMPTLOSS_CLONES void forward_floats(const Operands<float>& on, int64_t task) {
  forward_task(on, task);
}
PROMPTLOSS_CLONES void forward_bfloats(const Operands<BFloat16>& on, int64_t task) {
  forward_task(on, task);
}
PROMPTLOSS_CLONES void backward_floats(const Operands<float>& on, int64_t task) {
  backward_task(on, task);
}
PROMPTLOSS_CLONES void backward_bfloats(const Operands<BFloat16>& on, int64_t task) {
  backward_task(on, task);
}

template <typename T>
T* data(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

template <typename T>
Operands<T> operands(const PackedAttentionInputs& inputs, const at::Tensor& log_sums) {
  Operands<T> on{};
  on.query = data<T>(inputs.query);
  on.key = data<T>(inputs.key);
  on.value = data<T>(inputs.value);
  on.log_sums = log_sums.data_ptr<float>();
  on.tokens = inputs.query.size(0);
  on.heads = inputs.query.size(1);
  on.groups = inputs.key.size(1);
  on.width = inputs.query.size(2);
  on.starts = &inputs.starts;
  on.scale = static_cast<float>(inputs.scale);
  on.window = inputs.window;
  return on;
}

int64_t tasks(const PackedAttentionInputs& inputs) {
  return static_cast<int64_t>(inputs.starts.size() - 1) * inputs.key.size(1);
}

PackedAttentionInputs contiguous(PackedAttentionInputs inputs) {
  inputs.query = inputs.query.contiguous();
  inputs.key = inputs.key.contiguous();
  inputs.value = inputs.value.contiguous();
  return inputs;
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> packed_attention_forward(const PackedAttentionInputs& given) {
  const auto inputs = contiguous(given);
  const auto output = at::empty(inputs.query.sizes(), inputs.query.options());
  const auto log_sums = at::empty({inputs.query.size(1), inputs.query.size(0)}, output.options().dtype(at::kFloat));
  const auto run = [&](auto on, auto* kernel) {
    on.result = static_cast<decltype(on.result)>(output.data_ptr());
    share(tasks(inputs), [&](int64_t task) { kernel(on, task); });
  };
  if (output.scalar_type() == at::kFloat)
    run(operands<float>(inputs, log_sums), &forward_floats);
  else
    run(operands<BFloat16>(inputs, log_sums), &forward_bfloats);
  return {output, log_sums};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> packed_attention_backward(
    const at::Tensor& grad, const PackedAttentionInputs& given, const at::Tensor& output, const at::Tensor& log_sums) {
  const auto inputs = contiguous(given);
  const auto own_grad = grad.to(inputs.query.scalar_type()).contiguous();
  const auto grad_query = at::empty_like(inputs.query), grad_key = at::empty_like(inputs.key),
             grad_value = at::empty_like(inputs.value);
  const auto run = [&](auto on, auto* kernel) {
    using T = std::remove_pointer_t<decltype(on.result)>;
    on.output = data<T>(output);
    on.grad = data<T>(own_grad);
    on.grad_query = data<T>(grad_query);
    on.grad_key = data<T>(grad_key);
    on.grad_value = data<T>(grad_value);
    share(tasks(inputs), [&](int64_t task) { kernel(on, task); });
  };
  if (inputs.query.scalar_type() == at::kFloat)
    run(operands<float>(inputs, log_sums), &backward_floats);
  else
    run(operands<BFloat16>(inputs, log_sums), &backward_bfloats);
  return {grad_query, grad_key, grad_value};
}

}  // namespace promptloss
