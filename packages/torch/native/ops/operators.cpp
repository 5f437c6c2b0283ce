// The library promptloss of operators: what each takes and gives, and what runs it. This is the one translation unit that
// includes libtorch's headers, which take longer to read than all else takes to compile; the kernels beneath it are files
// of their own without them.
#include <torch/library.h>

#include "operators/adamw_step.cpp"
#include "operators/cached_attention.cpp"
#include "operators/devices.cpp"
#include "operators/fused.cpp"
#include "operators/head_products.cpp"
#include "operators/linear.cpp"
// After linear.cpp, whose parts it uses.
#include "operators/blocks.cpp"
#include "operators/packed_attention.cpp"
#include "operators/peak.cpp"
#include "operators/products_check.cpp"
#include "operators/rms_norm.cpp"
#include "operators/rotary_embedding.cpp"
#include "operators/silu_mul.cpp"
#include "operators/threads.cpp"
#include "operators/tied_embedding.cpp"
#include "operators/total_norm.cpp"
#include "operators/weighted_cross_entropy.cpp"
#include "operators/weighted_cross_entropy_autograd.cpp"
#include "operators/weighted_cross_entropy_checks.cpp"
#include "operators/weighted_cross_entropy_chunked.cpp"
// After the one before, whose parts it uses.
#include "operators/weighted_cross_entropy_trusted.cpp"

namespace promptloss {

namespace cross_entropy = weighted_cross_entropy_operator;

TORCH_LIBRARY(promptloss, library) {
  library.def(
      "adamw_step_(Tensor(a!) parameter, Tensor(b!) first, Tensor(c!) second, Tensor gradient, int steps, float rate, "
      "float beta1, float beta2, float epsilon, float weight_decay, float gradient_scale) -> ()");
  library.def(
      "adamw_steps_(Tensor(a!)[] parameters, Tensor(b!)[] firsts, Tensor(c!)[] seconds, Tensor(d!)[] gradients, Tensor steps, "
      "float rate, float beta1, float beta2, float epsilon, float weight_decay, Tensor divisor, Tensor skip) -> ()",
      adamw_step_operator::many);
  library.def("has_adamw_steps() -> bool", adamw_step_operator::has_steps);
  library.def("block_linear(Tensor input, Tensor blocks, str kind, Tensor? bias=None) -> Tensor");
  library.def(
      "cached_attention(Tensor query, Tensor keys, Tensor values, int[] starts, int[] pasts, float scale, int window=0) -> "
      "Tensor");
  library.def("expand_blocks(Tensor blocks, str kind, int columns, *, ScalarType dtype) -> Tensor");
  library.def("quantize_blocks(Tensor weight, str kind) -> Tensor");
  library.def("linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor");
  library.def(
      "packed_attention(Tensor query, Tensor key, Tensor value, int[] starts, float scale, int window=0, "
      "Tensor? places=None) -> Tensor");
  library.def(
      "packed_attention_statistics(Tensor query, Tensor key, Tensor value, int[] starts, float scale, int window=0, "
      "Tensor? places=None) -> Tensor[]");
  library.def(
      "packed_attention_recalled(Tensor query, Tensor key, Tensor value, Tensor[] known, int[] starts, float scale, "
      "int window=0, Tensor? places=None) -> Tensor");
  library.def("packed_attention_way(Tensor like, int width, int window=0) -> str");
  library.def("rms_norm(Tensor input, Tensor weight, float eps, float weight_offset=0.) -> Tensor");
  library.def("rotary_embedding(Tensor input, Tensor cos, Tensor sin) -> Tensor");
  library.def("silu_mul(Tensor gate, Tensor up) -> Tensor");
  library.def("tied_embedding(Tensor(a) weight, Tensor indices) -> (Tensor rows, Tensor(a) head)");
  library.def(
      "weighted_cross_entropy(Tensor hidden, Tensor head, Tensor targets, Tensor weights, *, Tensor? bias=None, "
      "str reduction=\"mean\", float label_smoothing=0.0, float logit_softcap=0.0, int chunk_size=0, "
      "Tensor? places=None, bool trusted=False) "
      "-> (Tensor loss, Tensor token_losses, Tensor token_correct)");
  library.def(
      "weighted_cross_entropy_forward(Tensor hidden, Tensor head, Tensor targets, Tensor weights, Tensor? bias, "
      "str reduction, float label_smoothing, float logit_softcap, int chunk_size, ScalarType? compute_dtype, "
      "bool[4] gradients, Tensor? places=None, bool trusted=False) -> (Tensor loss, Tensor token_losses, Tensor token_correct, Tensor grad_hidden, "
      "Tensor grad_head, Tensor grad_bias, Tensor grad_weights)");

  // Of numbers alone, of a list that may be empty, or for tests: what runs them is the same everywhere.
  library.def("bf16_peak(float seconds) -> float", peak::bf16_peak);
  library.def("device_memory(Device device) -> int[]", devices::memory);
  library.def("fused_kernels(str kernel) -> bool", [](std::string kernel) { return fused_kernels(kernel); });
  library.def("float_product(Tensor left, Tensor right, bool halves, bool emulated) -> Tensor", products_check::float_product);
  library.def("has_float_product() -> bool", products_check::has_float_product);
  library.def("has_tile_product() -> bool", products_check::has_tile_product);
  library.def("lane_block_product(Tensor rows, Tensor blocks, str kind) -> Tensor", products_check::lane_block_product);
  library.def("lane_product(Tensor rows, Tensor weight) -> Tensor", products_check::lane_product);
  library.def("library_way(str way) -> bool", [](std::string way) { return way_switch(way).load(); });
  library.def("reset_peak_memory(Device device) -> ()", devices::reset_peak);
  library.def("tile_product(Tensor left, Tensor right) -> Tensor", products_check::tile_product);
  library.def("total_norm(Tensor[] tensors) -> float", total_norm::plain);
  library.def("upload(Tensor[] tensors, Device device) -> Tensor[]", devices::upload);
  library.def("use_fused_kernels(bool on, str kernel) -> bool", [](bool on, std::string kernel) { return use_fused_kernels(on, kernel); });
  library.def("use_library_way(str way, bool on) -> bool", [](std::string way, bool on) { return way_switch(way).exchange(on); });
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("adamw_step_", adamw_step_operator::plain);
  library.impl("block_linear", block_linear::in_its_dtype);
  library.impl("cached_attention", cached_attention_operator::plain);
  library.impl("expand_blocks", block_linear::expand_blocks);
  library.impl("quantize_blocks", block_linear::quantize_blocks);
  library.impl("linear", linear::plain);
  library.impl("packed_attention", packed_attention::plain);
  library.impl("packed_attention_recalled", packed_attention::recalled);
  library.impl("packed_attention_statistics", packed_attention::statistics);
  library.impl("packed_attention_way", packed_attention::way);
  library.impl("rms_norm", rms_norm::plain);
  library.impl("rotary_embedding", rotary_embedding_operator::plain);
  library.impl("silu_mul", silu_mul::plain);
  library.impl("tied_embedding", tied_embedding::plain);
  library.impl("weighted_cross_entropy", cross_entropy::entry<cross_entropy::plain>);
  library.impl("weighted_cross_entropy_forward", cross_entropy::forward_kernel);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("block_linear", block_linear::in_its_dtype);
  library.impl("cached_attention", cached_attention_operator::without_gradients);
  library.impl("linear", linear::differentiable);
  library.impl("packed_attention", packed_attention::differentiable);
  library.impl("packed_attention_recalled", packed_attention::recalled);
  library.impl("packed_attention_statistics", packed_attention::statistics);
  library.impl("packed_attention_way", packed_attention::way);
  library.impl("rms_norm", rms_norm::differentiable);
  library.impl("rotary_embedding", rotary_embedding_operator::differentiable);
  library.impl("silu_mul", silu_mul::differentiable);
  library.impl("tied_embedding", tied_embedding::differentiable);
  library.impl("weighted_cross_entropy", cross_entropy::entry<differentiable_forward>);
}

TORCH_LIBRARY_IMPL(promptloss, AutocastCPU, library) {
  library.impl("block_linear", block_linear::autocast);
  library.impl("linear", linear::autocast);
  library.impl("packed_attention", packed_attention::autocast);
  library.impl("rms_norm", rms_norm::autocast);
  library.impl("weighted_cross_entropy", cross_entropy::entry<cross_entropy::autocast>);
}

TORCH_LIBRARY_IMPL(promptloss, AutocastCUDA, library) {
  library.impl("block_linear", block_linear::autocast);
  library.impl("packed_attention", packed_attention::autocast);
  library.impl("rms_norm", rms_norm::autocast);
  library.impl("weighted_cross_entropy", cross_entropy::entry<cross_entropy::autocast>);
}

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 5)
TORCH_LIBRARY_IMPL(promptloss, AutocastMPS, library) {
  library.impl("weighted_cross_entropy", cross_entropy::entry<cross_entropy::autocast>);
}
#endif

}  // namespace promptloss
