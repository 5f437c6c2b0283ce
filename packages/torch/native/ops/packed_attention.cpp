// The operator promptloss::packed_attention: its schema, checks and derivative. First order only.
#include "packed_attention.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace promptloss {

void check_packed_attention(const PackedAttentionInputs& inputs) {
  const auto& [query, key, value, starts, scale, window] = inputs;
  const char* op = "packed_attention: ";
  for (const auto& [name, tensor] : {std::pair<const char*, at::Tensor>{"query", query}, {"key", key}, {"value", value}}) {
    TORCH_CHECK(tensor.dim() == 3, op, name, " must have shape [tokens, heads, units], got ", tensor.sizes());
    TORCH_CHECK(tensor.is_cpu(), op, name, " must be on the CPU, got ", tensor.device());
    TORCH_CHECK(
        tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16, op, name,
        " must be float32 or bfloat16, got ", tensor.scalar_type());
    TORCH_CHECK(
        tensor.scalar_type() == query.scalar_type(), op, name, " must have query's dtype ", query.scalar_type(),
        ", got ", tensor.scalar_type());
    TORCH_CHECK(
        tensor.size(0) == query.size(0) && tensor.size(2) == query.size(2), op, name, " must have query's tokens and units, ",
        query.sizes(), ", got ", tensor.sizes());
  }
  TORCH_CHECK(query.size(2) > 0 && query.size(2) % 16 == 0, op, "units must be a multiple of 16, got ", query.size(2));
  TORCH_CHECK(key.size(1) == value.size(1), op, "key and value must have as many heads, got ", key.size(1), " and ", value.size(1));
  TORCH_CHECK(
      key.size(1) > 0 && query.size(1) % key.size(1) == 0, op, "query's heads, ", query.size(1),
      ", must be a multiple of key's, ", key.size(1));
  TORCH_CHECK(scale > 0, op, "scale must be above 0, got ", scale);
  TORCH_CHECK(window >= 0, op, "window must not be negative, got ", window);
  TORCH_CHECK(
      starts.size() >= 2 && starts.front() == 0 && starts.back() == query.size(0), op,
      "starts must begin with 0 and end with the tokens, ", query.size(0));
  for (size_t i = 1; i < starts.size(); ++i)
    TORCH_CHECK(starts[i] > starts[i - 1], op, "starts must increase, got ", starts[i], " after ", starts[i - 1]);
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value, const PackedAttentionInputs& inputs) {
    const auto [output, log_sums] = packed_attention_forward(inputs);
    ctx->save_for_backward({query, key, value, output, log_sums});
    ctx->saved_data["starts"] = inputs.starts;
    ctx->saved_data["scale"] = inputs.scale;
    ctx->saved_data["window"] = inputs.window;
    return output;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(
        !at::GradMode::is_enabled(), "packed_attention: second derivatives are not implemented",
        "\nhint: for a gradient of a gradient use scaled_dot_product_attention");
    const auto saved = ctx->get_saved_variables();
    const PackedAttentionInputs inputs{
        saved[0], saved[1], saved[2], ctx->saved_data["starts"].toIntVector(), ctx->saved_data["scale"].toDouble(),
        ctx->saved_data["window"].toInt()};
    const auto [query, key, value] = packed_attention_backward(gradients[0], inputs, saved[3], saved[4]);
    return {query, key, value, at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, std::vector<int64_t> starts,
                 double scale, int64_t window) {
  const PackedAttentionInputs inputs{query, key, value, std::move(starts), scale, window};
  check_packed_attention(inputs);
  return std::get<0>(packed_attention_forward(inputs));
}

at::Tensor differentiable(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          std::vector<int64_t> starts, double scale, int64_t window) {
  const PackedAttentionInputs inputs{query, key, value, std::move(starts), scale, window};
  check_packed_attention(inputs);
  return PackedAttention::apply(query, key, value, inputs);
}

/** As torch's own attention, under autocast in its dtype. */
at::Tensor autocast(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                    std::vector<int64_t> starts, double scale, int64_t window) {
  c10::impl::ExcludeDispatchKeyGuard guard(c10::autocast_dispatch_keyset);
  const auto dtype = at::autocast::get_lower_precision_fp_from_device_type(query.device().type());
  return differentiable(query.to(dtype), key.to(dtype), value.to(dtype), std::move(starts), scale, window);
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("packed_attention(Tensor query, Tensor key, Tensor value, int[] starts, float scale, int window=0) -> Tensor");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("packed_attention", promptloss::plain);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("packed_attention", promptloss::differentiable);
}

TORCH_LIBRARY_IMPL(promptloss, AutocastCPU, library) {
  library.impl("packed_attention", promptloss::autocast);
}
