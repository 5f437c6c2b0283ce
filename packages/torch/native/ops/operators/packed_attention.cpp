// promptloss::packed_attention: causal attention of sequences laid end to end, each to itself. First order only. A kernel of
// ours on the CPU, libtorch's operators elsewhere. With `packed_attention_statistics` the backward pass's part can be kept
// apart from the graph, and `packed_attention_recalled` goes on from there: a layer that is computed again attends once.
#include "../kernels/packed_attention.h"

#include "attention_checks.h"
#include "packed_attention_library.h"

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
  /** `starts` as int32 on the query's device, where that is not the CPU; undefined has them sent there. */
  at::Tensor places;
};

/** On the CPU our kernel, unless it is switched off and a program has brought a CPU kernel of libtorch's operator. */
bool is_for_kernel(const at::Tensor& query) {
  return query.is_cpu() && (fused_kernels(Fused::kAttention) || !flash_forward().runs_on(query.device()));
}

void check(const Inputs& inputs) {
  const auto& [query, key, value, starts, scale, window, places] = inputs;
  check_queries(kName, query);
  for (const auto& [name, tensor] : {std::pair<const char*, at::Tensor>{"key", key}, {"value", value}}) {
    check_keys(kName, name, tensor, "[tokens, heads, units]", 3, query);
    TORCH_CHECK(tensor.size(0) == query.size(0), kName, ": ", name, " must have query's tokens, ", query.size(0), ", got ", tensor.size(0));
  }
  TORCH_CHECK(key.size(1) == value.size(1), kName, ": key and value must have as many heads, got ", key.size(1), " and ", value.size(1));
  check_scale_and_window(kName, scale, window);
  check_starts(kName, starts, query);
  TORCH_CHECK(
      !places.defined() || (places.scalar_type() == at::kInt && places.device() == query.device() && places.dim() == 1 &&
                            places.size(0) == static_cast<int64_t>(starts.size())),
      kName, ": places must be starts as int32 on ", query.device());
}

int64_t longest_of(const std::vector<int64_t>& starts) {
  int64_t longest = 0;
  for (size_t i = 1; i < starts.size(); ++i) longest = std::max(longest, starts[i] - starts[i - 1]);
  return longest;
}

LibraryInputs library_inputs(const Inputs& inputs) {
  const auto places = inputs.places.defined() ? inputs.places : at::tensor(inputs.starts, at::kInt).to(inputs.query.device());
  return {inputs.query.contiguous(), inputs.key.contiguous(), inputs.value.contiguous(), places, longest_of(inputs.starts),
          inputs.scale, inputs.window};
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

/** The output [T, H, W] in query's dtype, and what its backward pass needs: of our kernel the log-sums, [H, T] float32. */
std::pair<at::Tensor, Statistics> forward(const Inputs& inputs) {
  if (!is_for_kernel(inputs.query)) return library_forward(library_inputs(inputs));
  const Call on(inputs);
  const auto output = at::empty(on.query.sizes(), on.query.options());
  const auto log_sums = at::empty({on.query.size(1), on.query.size(0)}, output.options().dtype(at::kFloat));
  packed_attention_forward(on.kernel, memory_of(output), memory_of<float>(log_sums));
  return {output, {log_sums}};
}

/** Gradients by query, key and value, in their dtypes. */
std::array<at::Tensor, 3> backward(
    const at::Tensor& given, const Inputs& inputs, const at::Tensor& output, const Statistics& statistics) {
  if (!is_for_kernel(inputs.query)) return library_backward(given, library_inputs(inputs), output, statistics);
  const Call on(inputs);
  const auto grad = given.to(on.query.scalar_type()).contiguous();
  const auto query = at::empty_like(on.query), key = at::empty_like(on.key), value = at::empty_like(on.value);
  packed_attention_backward(
      on.kernel, {memory_of(output), memory_of<float>(statistics[0]), memory_of(grad), memory_of(query), memory_of(key), memory_of(value)});
  return {query, key, value};
}

/** An output and its statistics; none to compute them. Not a list, which autograd would take for inputs. */
struct Known {
  std::vector<at::Tensor> tensors;
};

struct Derivative : torch::autograd::Function<Derivative> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value, const Inputs& inputs, const Known& known) {
    std::vector<at::Tensor> results = known.tensors;
    if (results.empty()) {
      auto [output, statistics] = packed_attention::forward(inputs);
      results = std::move(statistics);
      results.insert(results.begin(), output);
    }
    const auto output = known.tensors.empty() ? results[0] : results[0].detach();
    variable_list saved{query, key, value, inputs.places, output};
    saved.insert(saved.end(), results.begin() + 1, results.end());
    ctx->save_for_backward(saved);
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
        ctx->saved_data["window"].toInt(), saved[3]};
    const auto [query, key, value] =
        packed_attention::backward(gradients[0], inputs, saved[4], Statistics(saved.begin() + 5, saved.end()));
    return {query, key, value, at::Tensor(), at::Tensor()};
  }
};

using Places = Optional<at::Tensor>;

Inputs checked(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, std::vector<int64_t> starts,
               double scale, int64_t window, const Places& places) {
  Inputs inputs{query, key, value, std::move(starts), scale, window, places.has_value() ? *places : at::Tensor()};
  check(inputs);
  return inputs;
}

at::Tensor plain(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, std::vector<int64_t> starts,
                 double scale, int64_t window, const Places& places) {
  return forward(checked(query, key, value, std::move(starts), scale, window, places)).first;
}

at::Tensor differentiable(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          std::vector<int64_t> starts, double scale, int64_t window, const Places& places) {
  const auto inputs = checked(query, key, value, std::move(starts), scale, window, places);
  return Derivative::apply(query, key, value, inputs, Known{});
}

/** As torch's own attention, under autocast in its dtype. */
at::Tensor autocast(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                    std::vector<int64_t> starts, double scale, int64_t window, const Places& places) {
  const WithoutAutocast guard;
  const auto dtype = autocast_dtype(query);
  return differentiable(query.to(dtype), key.to(dtype), value.to(dtype), std::move(starts), scale, window, places);
}

/** The output, and behind it its statistics; records nothing. */
std::vector<at::Tensor> statistics(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                   std::vector<int64_t> starts, double scale, int64_t window, const Places& places) {
  at::AutoDispatchBelowADInplaceOrView guard;
  auto [output, statistics] = forward(checked(query, key, value, std::move(starts), scale, window, places));
  statistics.insert(statistics.begin(), output);
  return statistics;
}

/** The output that `statistics` gave of the same inputs, as a function of these. */
at::Tensor recalled(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, at::TensorList known,
                    std::vector<int64_t> starts, double scale, int64_t window, const Places& places) {
  const auto inputs = checked(query, key, value, std::move(starts), scale, window, places);
  TORCH_CHECK(
      known.size() >= 2 && known[0].sizes() == query.sizes() && known[0].scalar_type() == query.scalar_type(), kName,
      "_recalled: known must be what packed_attention_statistics gave of these inputs");
  // What follows are seeds, which may be anywhere.
  for (const auto& each : known.slice(0, 2))
    TORCH_CHECK(
        each.device() == query.device() && each.layout() == at::kStrided && each.is_contiguous(), kName,
        "_recalled: known must be contiguous on ", query.device());
  TORCH_CHECK(
      !is_for_kernel(query) || (known[1].scalar_type() == at::kFloat && known[1].dim() == 2 &&
                                known[1].size(0) == query.size(1) && known[1].size(1) == query.size(0)),
      kName, "_recalled: known's second must be the logarithms of the softmaxes' sums, [heads, tokens] float32");
  return Derivative::apply(query, key, value, inputs, Known{known.vec()});
}

/** What attends to tensors like this one: "kernel", a way of libtorch's, or nothing. */
std::string way(const at::Tensor& like, int64_t width, int64_t window) {
  const bool fits = width % kUnitsOfHead == 0;
  if (is_for_kernel(like)) return fits && fused_kernels(Fused::kAttention) && is_float_or_half(like.scalar_type()) ? "kernel" : "";
  const bool has_operators = like.is_cpu() || like.is_cuda() || like.is_meta();
  return fits && has_operators && at::isFloatingType(like.scalar_type()) && like.scalar_type() != at::kDouble
             ? library_way(like.scalar_type(), width, window)
             : "";
}

}  // namespace promptloss::packed_attention
