// promptloss::cached_attention: tokens laid end to end attend to what a cache holds of their sequences, themselves
// included: a step of generation, or a text that goes on where a cached one ends. Forward only.
#include "../kernels/cached_attention.h"

#include "attention_checks.h"

namespace promptloss::cached_attention_operator {

constexpr const char* kName = "cached_attention";

struct Inputs {
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

void check(const Inputs& inputs) {
  const auto& [query, keys, values, starts, pasts, scale, window] = inputs;
  check_for_kernel(kName, "query", query);
  check_queries(kName, query);
  for (const auto& [name, tensor] : {std::pair<const char*, at::Tensor>{"keys", keys}, {"values", values}}) {
    check_keys(kName, name, tensor, "[sequences, heads, capacity, units]", 4, query);
    TORCH_CHECK(tensor.sizes() == keys.sizes(), kName, ": ", name, " must have the keys' shape ", keys.sizes(), ", got ", tensor.sizes());
    TORCH_CHECK(tensor.stride(3) == 1, kName, ": ", name, "' units must lie one after another");
  }
  check_scale_and_window(kName, scale, window);
  const auto sequences = static_cast<size_t>(keys.size(0));
  TORCH_CHECK(
      pasts.size() == sequences && starts.size() == sequences + 1, kName, ": pasts and starts must name ", sequences,
      " sequences, got ", pasts.size(), " and ", starts.size(), " places");
  check_starts(kName, starts, query);
  for (size_t i = 0; i < sequences; ++i) {
    const int64_t length = pasts[i] + starts[i + 1] - starts[i];
    TORCH_CHECK(
        pasts[i] >= 0 && length <= keys.size(2), kName, ": sequence ", i, " would have ", length, " tokens, of which ",
        pasts[i], " were there, in a cache of ", keys.size(2));
  }
}

CachedHeads heads_of(const at::Tensor& cache) {
  return {memory_of(cache), cache.stride(0), cache.stride(1), cache.stride(2)};
}

at::Tensor plain(
    const at::Tensor& given, const at::Tensor& keys, const at::Tensor& values, std::vector<int64_t> starts,
    std::vector<int64_t> pasts, double scale, int64_t window) {
  const Inputs inputs{given, keys, values, std::move(starts), std::move(pasts), scale, window};
  check(inputs);
  const auto query = given.contiguous();
  const auto output = at::empty(query.sizes(), query.options());
  const CachedAttention call{
      is_half(query), memory_of(query), heads_of(keys), heads_of(values), query.size(1), keys.size(1), query.size(2),
      inputs.starts.data(), inputs.pasts.data(), keys.size(0), static_cast<float>(scale), window};
  cached_attention(call, memory_of(output));
  return output;
}

at::Tensor without_gradients(
    const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values, std::vector<int64_t> starts,
    std::vector<int64_t> pasts, double scale, int64_t window) {
  TORCH_CHECK(
      !wants_gradient({query, keys, values}), kName, ": has no derivative",
      "\nhint: call it in noGrad, or use packed_attention, or scaled_dot_product_attention with a mask");
  return plain(query, keys, values, std::move(starts), std::move(pasts), scale, window);
}

}  // namespace promptloss::cached_attention_operator
