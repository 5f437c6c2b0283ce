// Causal attention over sequences laid end to end by libtorch's own operators: flash attention by cumulative lengths, or
// memory-efficient attention, which takes float32 too, and a window where flash attention of this libtorch has none.
// Neither keeps scores. What the backward pass needs beside the output, `statistics`, is theirs.
#pragma once

#include "library_operator.h"
#include "operator.h"

namespace promptloss::packed_attention {

struct LibraryInputs {
  at::Tensor query;   // [T, H, W]
  at::Tensor key;     // [T, G, W]
  at::Tensor value;   // [T, G, W]
  at::Tensor places;  // [sequences + 1], int32, on their device: where each sequence starts, and at last T
  int64_t longest;
  double scale;
  int64_t window;  // 0 for none
};

using Statistics = std::vector<at::Tensor>;

inline const LibraryOperator& flash_forward() {
  static const LibraryOperator found("aten::_flash_attention_forward");
  return found;
}

inline const LibraryOperator& efficient_forward() {
  static const LibraryOperator found("aten::_efficient_attention_forward");
  return found;
}

/** Flash attention keeps 16-bit scores' inputs; wider heads than this have no kernel. */
constexpr int64_t kWidestFlashHead = 256;
/** What efficient attention calls a causal mask. */
constexpr int64_t kCausalFromTopLeft = 1;

inline bool has_flash(at::ScalarType dtype, int64_t width, int64_t window) {
  const bool is_half = dtype == at::kBFloat16 || dtype == at::kHalf;
  return is_on(Way::flash_attention) && flash_forward().exists() && is_half && width <= kWidestFlashHead &&
         (window == 0 || (is_on(Way::flash_attention_window) && flash_forward().takes("window_size_left")));
}

inline bool has_efficient(int64_t window) {
  return is_on(Way::efficient_attention) && efficient_forward().exists() &&
         (window == 0 || (is_on(Way::efficient_attention_window) && efficient_forward().takes("window_size")));
}

/** Which of the two attends to tensors of a dtype; empty where neither does. */
inline std::string library_way(at::ScalarType dtype, int64_t width, int64_t window) {
  if (has_flash(dtype, width, window)) return "flash attention";
  return has_efficient(window) ? "memory-efficient attention" : "";
}

inline bool takes_flash(const LibraryInputs& inputs) {
  const auto way = library_way(inputs.query.scalar_type(), inputs.query.size(2), inputs.window);
  TORCH_CHECK(
      !way.empty(), "packed_attention: no operator of this libtorch serves ", inputs.query.scalar_type(), " on ",
      inputs.query.device(), "\nhint: scaled_dot_product_attention does, a sequence at a time");
  return way == "flash attention";
}

using Arguments = std::vector<LibraryOperator::Argument>;

inline void add_flash_window(Arguments& arguments, int64_t window) {
  if (window == 0) return;
  arguments.emplace_back("window_size_left", window - 1);
  arguments.emplace_back("window_size_right", int64_t{0});
}

inline Arguments flash_arguments(const LibraryInputs& inputs) {
  return {{"query", inputs.query}, {"key", inputs.key},      {"value", inputs.value},   {"cum_seq_q", inputs.places},
          {"cum_seq_k", inputs.places}, {"max_q", inputs.longest}, {"max_k", inputs.longest}, {"dropout_p", 0.0},
          {"is_causal", true},      {"scale", inputs.scale}};
}

/** [T, heads, W] → [1, T, H, W]: efficient attention knows no heads that share a key. */
inline at::Tensor repeated(const at::Tensor& keys, int64_t heads) {
  const auto tokens = keys.size(0), own = keys.size(1), width = keys.size(2);
  if (own == heads) return keys.unsqueeze(0);
  return keys.unsqueeze(2).expand({tokens, own, heads / own, width}).reshape({1, tokens, heads, width});
}

/** The reverse of `repeated` for gradients: each key's is the sum of its heads'. */
inline at::Tensor gathered(const at::Tensor& gradient, int64_t own) {
  const auto tokens = gradient.size(1), heads = gradient.size(2), width = gradient.size(3);
  if (own == heads) return gradient.squeeze(0);
  return gradient.view({tokens, own, heads / own, width}).sum(2);
}

/** Where libtorch has no kernel that tells shapes without values: what the one for values would give. */
inline std::pair<at::Tensor, Statistics> shapes_forward(const LibraryInputs& inputs) {
  const auto& query = inputs.query;
  const auto seed = at::empty({2}, query.options().dtype(at::kLong));
  return {at::empty_like(query), {at::empty({query.size(1), query.size(0)}, query.options().dtype(at::kFloat)), seed, seed}};
}

/** The output [T, H, W], and what its backward pass needs. */
inline std::pair<at::Tensor, Statistics> library_forward(const LibraryInputs& inputs) {
  const auto& query = inputs.query;
  const bool flash = takes_flash(inputs);
  if (query.is_meta() && !(flash ? flash_forward() : efficient_forward()).runs_on(query.device())) return shapes_forward(inputs);
  if (flash) {
    auto arguments = flash_arguments(inputs);
    arguments.emplace_back("return_debug_mask", false);
    add_flash_window(arguments, inputs.window);
    const auto results = flash_forward()(arguments);
    return {results[0].toTensor(), {results[1].toTensor(), results[2].toTensor(), results[3].toTensor()}};
  }
  const auto heads = query.size(1);
  Arguments arguments{
      {"query", query.unsqueeze(0)}, {"key", repeated(inputs.key, heads)}, {"value", repeated(inputs.value, heads)},
      {"bias", c10::IValue()}, {"cu_seqlens_q", inputs.places}, {"cu_seqlens_k", inputs.places},
      {"max_seqlen_q", inputs.longest}, {"max_seqlen_k", inputs.longest}, {"dropout_p", 0.0},
      {"custom_mask_type", kCausalFromTopLeft}, {"compute_log_sumexp", true}, {"scale", inputs.scale}};
  if (inputs.window > 0) arguments.emplace_back("window_size", inputs.window);
  const auto results = efficient_forward()(arguments);
  return {results[0].toTensor().squeeze(0), {results[1].toTensor(), results[2].toTensor(), results[3].toTensor()}};
}

/** Gradients by query, key and value. */
inline std::array<at::Tensor, 3> library_backward(
    const at::Tensor& given, const LibraryInputs& inputs, const at::Tensor& output, const Statistics& statistics) {
  static const LibraryOperator flash_backward("aten::_flash_attention_backward");
  static const LibraryOperator efficient_backward("aten::_efficient_attention_backward");
  const auto& query = inputs.query;
  const auto gradient = given.to(query.scalar_type()).contiguous();
  const bool flash = takes_flash(inputs);
  if (query.is_meta() && !(flash ? flash_backward : efficient_backward).runs_on(query.device()))
    return {at::empty_like(query), at::empty_like(inputs.key), at::empty_like(inputs.value)};
  if (flash) {
    auto arguments = flash_arguments(inputs);
    // Named anew when its random state became one tensor.
    const bool renamed = flash_backward.takes("rng_state");
    const Arguments more{
        {"grad_out", gradient}, {"out", output}, {"logsumexp", statistics[0]},
        {renamed ? "rng_state" : "philox_seed", statistics[1]}, {renamed ? "unused" : "philox_offset", statistics[2]}};
    arguments.insert(arguments.end(), more.begin(), more.end());
    add_flash_window(arguments, inputs.window);
    const auto results = flash_backward(arguments);
    return {results[0].toTensor(), results[1].toTensor(), results[2].toTensor()};
  }
  const auto heads = query.size(1), own = inputs.key.size(1);
  Arguments arguments{
      {"grad_out_", gradient.unsqueeze(0)}, {"query", query.unsqueeze(0)}, {"key", repeated(inputs.key, heads)},
      {"value", repeated(inputs.value, heads)}, {"bias", c10::IValue()}, {"out", output.unsqueeze(0)},
      {"cu_seqlens_q", inputs.places}, {"cu_seqlens_k", inputs.places}, {"max_seqlen_q", inputs.longest},
      {"max_seqlen_k", inputs.longest}, {"logsumexp", statistics[0]}, {"dropout_p", 0.0},
      {"philox_seed", statistics[1]}, {"philox_offset", statistics[2]}, {"custom_mask_type", kCausalFromTopLeft},
      {"bias_requires_grad", false}, {"scale", inputs.scale}};
  if (inputs.window > 0) arguments.emplace_back("window_size", inputs.window);
  const auto results = efficient_backward(arguments);
  return {results[0].toTensor().squeeze(0), gathered(results[1].toTensor(), own), gathered(results[2].toTensor(), own)};
}

}  // namespace promptloss::packed_attention
