// promptloss::cached_attention: tokens laid end to end attend to what a cache holds of their sequences, themselves
// included: a step of generation, or a text that goes on where a cached one ends. Forward only, on the CPU.
#include <ATen/ATen.h>
#include <torch/library.h>

#include "attention_heads.h"
#include "share.h"

namespace promptloss {
namespace {

/** Fewer queries are taken one by one: turning the keys round would cost more than it saves. */
constexpr int64_t kFewQueries = 4;

struct CachedAttentionInputs {
  at::Tensor query;   // [tokens, heads, width]
  at::Tensor keys;    // [sequences, key heads, capacity, width], rows of a head one after another
  at::Tensor values;  // as keys
  /** Where each sequence's tokens start in `query`, and at last their number. */
  std::vector<int64_t> starts;
  /** The tokens that a sequence held before these. */
  std::vector<int64_t> pasts;
  double scale;
  int64_t window;
};

void check(const CachedAttentionInputs& inputs) {
  const auto& [query, keys, values, starts, pasts, scale, window] = inputs;
  const char* op = "cached_attention: ";
  TORCH_CHECK(query.dim() == 3, op, "query must have shape [tokens, heads, units], got ", query.sizes());
  TORCH_CHECK(
      query.scalar_type() == at::kFloat || query.scalar_type() == at::kBFloat16, op,
      "query must be float32 or bfloat16, got ", query.scalar_type());
  TORCH_CHECK(query.size(2) > 0 && query.size(2) % kLanes == 0, op, "units must be a multiple of 16, got ", query.size(2));
  for (const auto& [name, tensor] : {std::pair<const char*, at::Tensor>{"keys", keys}, {"values", values}}) {
    TORCH_CHECK(tensor.dim() == 4, op, name, " must have shape [sequences, heads, capacity, units], got ", tensor.sizes());
    TORCH_CHECK(
        tensor.scalar_type() == query.scalar_type(), op, name, " must have query's dtype ", query.scalar_type(),
        ", got ", tensor.scalar_type());
    TORCH_CHECK(tensor.sizes() == keys.sizes(), op, name, " must have the keys' shape ", keys.sizes(), ", got ", tensor.sizes());
    TORCH_CHECK(tensor.stride(3) == 1, op, name, "' units must lie one after another");
  }
  for (const auto& tensor : {query, keys, values})
    TORCH_CHECK(tensor.is_cpu(), op, "query, keys and values must be on the CPU, got ", tensor.device());
  TORCH_CHECK(keys.size(3) == query.size(2), op, "keys must have query's units, ", query.size(2), ", got ", keys.size(3));
  TORCH_CHECK(
      keys.size(1) > 0 && query.size(1) % keys.size(1) == 0, op, "query's heads, ", query.size(1),
      ", must be a multiple of the keys', ", keys.size(1));
  TORCH_CHECK(scale > 0, op, "scale must be above 0, got ", scale);
  TORCH_CHECK(window >= 0, op, "window must not be negative, got ", window);
  const auto sequences = static_cast<size_t>(keys.size(0));
  TORCH_CHECK(
      pasts.size() == sequences && starts.size() == sequences + 1, op, "pasts and starts must name ", sequences,
      " sequences, got ", pasts.size(), " and ", starts.size(), " places");
  TORCH_CHECK(
      starts.front() == 0 && starts.back() == query.size(0), op, "starts must begin with 0 and end with the tokens, ",
      query.size(0));
  for (size_t i = 0; i < sequences; ++i) {
    TORCH_CHECK(starts[i + 1] > starts[i], op, "starts must increase, got ", starts[i + 1], " after ", starts[i]);
    const int64_t length = pasts[i] + starts[i + 1] - starts[i];
    TORCH_CHECK(
        pasts[i] >= 0 && length <= keys.size(2), op, "sequence ", i, " would have ", length, " tokens, of which ", pasts[i],
        " were there, in a cache of ", keys.size(2));
  }
}

/** The output of one query, at place `query` of its sequence. */
template <typename T>
PROMPTLOSS_INLINE void one_query(
    const Shape& shape, int64_t query, const T* units, Head<const T> key, Head<const T> value, T* output, Workspace& work) {
  const int64_t first = shape.first_key(query), count = query + 1 - first, width = shape.width;
  float* scores = work.scores.data();
  float most = -INFINITY;
  for (int64_t j = 0; j < count; ++j) {
    const T* own = key.from(first + j).data;
    Floats products = all(0);
    for (int64_t d = 0; d < width; d += kLanes) products += load(units + d) * load(own + d);
    scores[j] = halved_sum(products) * shape.scale;
    most = scores[j] > most ? scores[j] : most;
  }
  const int64_t padded = rounded_up(count);
  for (int64_t j = count; j < padded; ++j) scores[j] = -INFINITY;
  Floats sums = all(0);
  for (int64_t j = 0; j < padded; j += kLanes) {
    store(scores + j, exp_of_negative(load(scores + j) - most));
    sums += load(scores + j);
  }
  // Below all floats, what was added to fill a vector is no more than 16 times 1e-38.
  const float factor = 1 / sum(sums);
  for (int64_t d = 0; d < width; d += kLanes) {
    Floats mixed = all(0);
    for (int64_t j = 0; j < count; ++j) mixed += load(value.from(first + j).data + d) * scores[j];
    store(output + d, mixed * factor);
  }
}

template <typename T>
struct Operands {
  const T *query, *keys, *values;
  T* output;
  int64_t heads, groups, width;
  /** Of keys and values: elements from a sequence, a head and a token to the next. */
  at::IntArrayRef key_steps, value_steps;
  const CachedAttentionInputs* inputs;
};

/** One sequence and head of keys; they are numbered sequence first. */
template <typename T>
PROMPTLOSS_INLINE void run_task(const Operands<T>& on, int64_t task) {
  thread_local Workspace work;
  const int64_t sequence = task / on.groups, group = task % on.groups, shared = on.heads / on.groups;
  const auto& inputs = *on.inputs;
  const int64_t start = inputs.starts[sequence], queries = inputs.starts[sequence + 1] - start;
  const int64_t past = inputs.pasts[sequence];
  const Shape shape{past + queries, on.width, static_cast<float>(inputs.scale), inputs.window, past};
  const auto cached = [&](const T* data, at::IntArrayRef steps) {
    return Head<const T>{data + sequence * steps[0] + group * steps[1], steps[2]};
  };
  const auto key = cached(on.keys, on.key_steps), value = cached(on.values, on.value_steps);
  work.fit(shape, false);
  for (int64_t head = group * shared; head < (group + 1) * shared; ++head) {
    const Head<const T> query{on.query + (start * on.heads + head) * on.width, on.heads * on.width};
    const Head<T> output{on.output + (start * on.heads + head) * on.width, on.heads * on.width};
    if (queries > kFewQueries) {
      forward_head<T>(shape, query, key, value, output, nullptr, head == group * shared, work);
      continue;
    }
    for (int64_t i = 0; i < queries; ++i)
      one_query<T>(shape, past + i, query.from(i).data, key, value, output.from(i).data, work);
  }
}

// One function a dtype: clones are made of functions, not of templates.
PROMPTLOSS_CLONES void run_floats(const Operands<float>& on, int64_t task) { run_task(on, task); }
PROMPTLOSS_CLONES void run_bfloats(const Operands<BFloat16>& on, int64_t task) { run_task(on, task); }

template <typename T>
void run(const CachedAttentionInputs& inputs, const at::Tensor& output, void (*kernel)(const Operands<T>&, int64_t)) {
  const auto data = [](const at::Tensor& tensor) { return static_cast<T*>(tensor.data_ptr()); };
  const Operands<T> on{
      data(inputs.query), data(inputs.keys), data(inputs.values), data(output), inputs.query.size(1), inputs.keys.size(1),
      inputs.query.size(2), inputs.keys.strides(), inputs.values.strides(), &inputs};
  share(inputs.keys.size(0) * on.groups, [&](int64_t task) { kernel(on, task); });
}

at::Tensor cached_attention(
    const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values, std::vector<int64_t> starts,
    std::vector<int64_t> pasts, double scale, int64_t window) {
  CachedAttentionInputs inputs{query.contiguous(), keys, values, std::move(starts), std::move(pasts), scale, window};
  check(inputs);
  const auto output = at::empty(query.sizes(), query.options());
  if (output.scalar_type() == at::kFloat)
    run<float>(inputs, output, &run_floats);
  else
    run<BFloat16>(inputs, output, &run_bfloats);
  return output;
}

at::Tensor without_gradients(
    const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values, std::vector<int64_t> starts,
    std::vector<int64_t> pasts, double scale, int64_t window) {
  const bool recorded = at::GradMode::is_enabled() && (query.requires_grad() || keys.requires_grad() || values.requires_grad());
  TORCH_CHECK(
      !recorded, "cached_attention: has no derivative",
      "\nhint: call it in noGrad, or use packed_attention, or scaled_dot_product_attention with a mask");
  return cached_attention(query, keys, values, std::move(starts), std::move(pasts), scale, window);
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def(
      "cached_attention(Tensor query, Tensor keys, Tensor values, int[] starts, int[] pasts, float scale, int window=0) -> "
      "Tensor");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("cached_attention", promptloss::cached_attention);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("cached_attention", promptloss::without_gradients);
}
