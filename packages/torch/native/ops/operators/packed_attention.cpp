// promptloss::packed_attention: causal attention of sequences laid end to end, each to itself. First order only.
#include "../kernels/packed_attention.h"

#include "attention_checks.h"

namespace promptloss::packed_attention {

constexpr const char* kName = "packed_attention";

/** T tokens, H heads of queries, G heads of keys and values (H a multiple of G), W units a head (a multiple of 16). */
struct Inputs {
  at::Tensor query;  // [T, H, W], float32 or bfloat16
  at::Tensor key;    // [T, G, W]
  at::Tensor value;  // [T, G, W]
  /** Where each sequence starts, and at last T. */
  std::vector<int64_t> starts;
  double scale;
  /** A token sees itself and window − 1 before it; 0 for all before it. */
  int64_t window;
};

void check(const Inputs& inputs) {
  const auto& [query, key, value, starts, scale, window] = inputs;
  check_queries(kName, query);
  for (const auto& [name, tensor] : {std::pair<const char*, at::Tensor>{"key", key}, {"value", value}}) {
    check_keys(kName, name, tensor, "[tokens, heads, units]", 3, query);
    TORCH_CHECK(tensor.size(0) == query.size(0), kName, ": ", name, " must have query's tokens, ", query.size(0), ", got ", tensor.size(0));
  }
  TORCH_CHECK(key.size(1) == value.size(1), kName, ": key and value must have as many heads, got ", key.size(1), " and ", value.size(1));
  check_scale_and_window(kName, scale, window);
  check_starts(kName, starts, query);
}

/** A call whose tensors are contiguous and live as long as it. */
struct Call {
  explicit Call(const Inputs& inputs)
      : query(inputs.query.contiguous()),
        key(inputs.key.contiguous()),
        value(inputs.value.contiguous()),
        kernel{is_half(query), memory_of(query), memory_of(key), memory_of(value), query.size(0), query.size(1),
               key.size(1), query.size(2), inputs.starts.data(), static_cast<int64_t>(inputs.starts.size()) - 1,
               static_cast<float>(inputs.scale), inputs.window} {}

  at::Tensor query, key, value;
  PackedAttention kernel;
};

/** The output [T, H, W] in query's dtype, and the logarithm of each softmax's sum, [H, T] float32. */
std::tuple<at::Tensor, at::Tensor> forward(const Inputs& inputs) {
  const Call on(inputs);
  const auto output = at::empty(on.query.sizes(), on.query.options());
  const auto log_sums = at::empty({on.query.size(1), on.query.size(0)}, output.options().dtype(at::kFloat));
  packed_attention_forward(on.kernel, memory_of(output), memory_of<float>(log_sums));
  return {output, log_sums};
}

/** Gradients by query, key and value, in their dtypes. */
std::tuple<at::Tensor, at::Tensor, at::Tensor> backward(
    const at::Tensor& given, const Inputs& inputs, const at::Tensor& output, const at::Tensor& log_sums) {
  const Call on(inputs);
  const auto grad = given.to(on.query.scalar_type()).contiguous();
  const auto query = at::empty_like(on.query), key = at::empty_like(on.key), value = at::empty_like(on.value);
  packed_attention_backward(
      on.kernel, {memory_of(output), memory_of<float>(log_sums), memory_of(grad), memory_of(query), memory_of(key), memory_of(value)});
  return {query, key, value};
}

struct Derivative : torch::autograd::Function<Derivative> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value, const Inputs& inputs) {
    const auto [output, log_sums] = packed_attention::forward(inputs);
    ctx->save_for_backward({query, key, value, output, log_sums});
    ctx->saved_data["starts"] = inputs.starts;
    ctx->saved_data["scale"] = inputs.scale;
    ctx->saved_data["window"] = inputs.window;
    return output;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    first_order_only(kName, "scaled_dot_product_attention");
    const auto saved = ctx->get_saved_variables();
    const Inputs inputs{
        saved[0], saved[1], saved[2], ctx->saved_data["starts"].toIntVector(), ctx->saved_data["scale"].toDouble(),
        ctx->saved_data["window"].toInt()};
    const auto [query, key, value] = packed_attention::backward(gradients[0], inputs, saved[3], saved[4]);
    return {query, key, value, at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, std::vector<int64_t> starts,
                 double scale, int64_t window) {
  const Inputs inputs{query, key, value, std::move(starts), scale, window};
  check(inputs);
  return std::get<0>(forward(inputs));
}

at::Tensor differentiable(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          std::vector<int64_t> starts, double scale, int64_t window) {
  const Inputs inputs{query, key, value, std::move(starts), scale, window};
  check(inputs);
  return Derivative::apply(query, key, value, inputs);
}

/** As torch's own attention, under autocast in its dtype. */
at::Tensor autocast(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                    std::vector<int64_t> starts, double scale, int64_t window) {
  const WithoutAutocast guard;
  const auto dtype = autocast_dtype(query);
  return differentiable(query.to(dtype), key.to(dtype), value.to(dtype), std::move(starts), scale, window);
}

}  // namespace promptloss::packed_attention
