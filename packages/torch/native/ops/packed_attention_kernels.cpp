// One sequence and one head of keys at a time. The backward pass computes the probabilities anew from the kept sums.
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
