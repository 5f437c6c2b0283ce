// The checks of weighted_cross_entropy's arguments. Every message names the argument, what was expected and what was
// given, so that a caller in any language can show it as it is.
#include "weighted_cross_entropy.h"

#include <cmath>

namespace promptloss {
namespace weighted_cross_entropy_operator {

void check_tensor(const at::Tensor& tensor, const char* name, const at::Device& device) {
  TORCH_CHECK(tensor.defined(), "weighted_cross_entropy: ", name, " is missing");
  TORCH_CHECK(
      tensor.layout() == at::kStrided && !tensor.is_nested(),
      "weighted_cross_entropy: ", name, " must be a dense tensor, got layout ", tensor.layout());
  TORCH_CHECK(
      tensor.device() == device,
      "weighted_cross_entropy: ", name, " must be on hidden's device ", device, ", got ", tensor.device());
}

void check_floating(const at::Tensor& tensor, const char* name) {
  const auto dtype = tensor.scalar_type();
  TORCH_CHECK(
      dtype == at::kFloat || dtype == at::kDouble || dtype == at::kBFloat16 || dtype == at::kHalf,
      "weighted_cross_entropy: ", name, " must be float32, float64, bfloat16 or float16, got ", dtype);
}

void check_same_dtype(const at::Tensor& tensor, const char* name, at::ScalarType expected) {
  TORCH_CHECK(
      tensor.scalar_type() == expected,
      "weighted_cross_entropy: ", name, " must have hidden's dtype ", expected, ", got ", tensor.scalar_type(),
      "\nhint: convert one of them, or call it under autocast");
}

void check_shapes(const WeightedCrossEntropyInputs& inputs) {
  const auto& [hidden, head, targets, weights, bias] = inputs;
  TORCH_CHECK(
      hidden.dim() >= 1,
      "weighted_cross_entropy: hidden must have shape [..., D], got a scalar");
  TORCH_CHECK(
      head.dim() == 2 && head.size(1) == hidden.size(-1),
      "weighted_cross_entropy: head must have shape [V, ", hidden.size(-1), "] for hidden of shape ", hidden.sizes(),
      ", got ", head.sizes());
  TORCH_CHECK(
      head.size(0) > 0,
      "weighted_cross_entropy: head must have a row for each vocabulary entry, got ", head.sizes());
  const auto tokens = hidden.sizes().slice(0, hidden.dim() - 1);
  TORCH_CHECK(
      targets.sizes() == tokens,
      "weighted_cross_entropy: targets must have shape ", tokens, " for hidden of shape ", hidden.sizes(), ", got ",
      targets.sizes());
  TORCH_CHECK(
      weights.sizes() == tokens,
      "weighted_cross_entropy: weights must have targets' shape ", tokens, ", got ", weights.sizes());
  TORCH_CHECK(
      !bias.has_value() || (bias->dim() == 1 && bias->size(0) == head.size(0)),
      "weighted_cross_entropy: bias must have shape [", head.size(0), "] for head of shape ", head.sizes(), ", got ",
      bias.has_value() ? bias->sizes() : at::IntArrayRef());
}

void check_settings(const WeightedCrossEntropySettings& settings) {
  TORCH_CHECK(
      settings.reduction == "mean" || settings.reduction == "sum",
      "weighted_cross_entropy: reduction must be \"mean\" or \"sum\", got \"", settings.reduction,
      "\"\nhint: token_losses holds the loss of each token");
  TORCH_CHECK(
      settings.label_smoothing >= 0.0 && settings.label_smoothing <= 1.0,
      "weighted_cross_entropy: label_smoothing must be in [0, 1], got ", settings.label_smoothing);
  TORCH_CHECK(
      settings.logit_softcap >= 0.0 && std::isfinite(settings.logit_softcap),
      "weighted_cross_entropy: logit_softcap must be positive, or 0 for none, got ", settings.logit_softcap);
  TORCH_CHECK(
      settings.chunk_size >= 0,
      "weighted_cross_entropy: chunk_size must be a number of tokens, or 0 to have it chosen, got ",
      settings.chunk_size);
}

}  // namespace weighted_cross_entropy_operator

at::ScalarType accumulation_dtype(at::ScalarType compute_dtype) {
  return compute_dtype == at::kDouble ? at::kDouble : at::kFloat;
}

at::ScalarType product_dtype(const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings) {
  return settings.compute_dtype.has_value() ? *settings.compute_dtype : inputs.hidden.scalar_type();
}

void check_arguments(const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings) {
  using namespace weighted_cross_entropy_operator;
  const auto& [hidden, head, targets, weights, bias] = inputs;
  TORCH_CHECK(hidden.defined(), "weighted_cross_entropy: hidden is missing");
  const auto device = hidden.device();
  TORCH_CHECK(!hidden.is_meta() || settings.trusted, "weighted_cross_entropy: hidden is on the meta device, which holds no values");
  check_tensor(hidden, "hidden", device);
  check_tensor(head, "head", device);
  check_tensor(targets, "targets", device);
  check_tensor(weights, "weights", device);
  check_floating(hidden, "hidden");
  check_floating(head, "head");
  TORCH_CHECK(
      targets.scalar_type() == at::kLong,
      "weighted_cross_entropy: targets must be int64, got ", targets.scalar_type());
  TORCH_CHECK(
      weights.scalar_type() == at::kFloat || weights.scalar_type() == at::kDouble,
      "weighted_cross_entropy: weights must be float32 or float64, got ", weights.scalar_type());
  if (bias.has_value()) {
    check_tensor(*bias, "bias", device);
    check_floating(*bias, "bias");
  }
  if (settings.compute_dtype.has_value()) {
    const auto dtype = *settings.compute_dtype;
    TORCH_CHECK(
        dtype == at::kFloat || dtype == at::kDouble || dtype == at::kBFloat16 || dtype == at::kHalf,
        "weighted_cross_entropy: compute_dtype must be float32, float64, bfloat16 or float16, got ", dtype);
  } else {
    check_same_dtype(head, "head", hidden.scalar_type());
    if (bias.has_value()) {
      check_same_dtype(*bias, "bias", hidden.scalar_type());
    }
  }
  check_shapes(inputs);
  check_settings(settings);
  if (!settings.places.has_value()) return;
  check_tensor(*settings.places, "places", device);
  TORCH_CHECK(settings.trusted, "weighted_cross_entropy: places are read only where trusted");
  TORCH_CHECK(
      settings.places->dim() == 1 && settings.places->scalar_type() == at::kLong,
      "weighted_cross_entropy: places must be int64 of shape [count], got ", settings.places->scalar_type(), " ",
      settings.places->sizes());
}

void check_values(const at::Tensor& targets, const at::Tensor& weights, int64_t vocabulary) {
  // Both tests are "not within", so that a NaN fails.
  const auto wrong_weights = weights.ge(0).logical_and_(weights.isfinite()).logical_not_();
  const auto wrong_targets =
      targets.ge(0).logical_and_(targets.lt(vocabulary)).logical_or_(targets.eq(kIgnoredTarget)).logical_not_();
  if (!wrong_weights.any().logical_or(wrong_targets.any()).item<bool>()) {
    return;
  }
  if (wrong_weights.any().item<bool>()) {
    const auto at = wrong_weights.nonzero()[0].item<int64_t>();
    TORCH_CHECK(
        false,
        "weighted_cross_entropy: weights must be finite and not negative, got ", weights[at].item<double>(),
        " at token ", at);
  }
  const auto at = wrong_targets.nonzero()[0].item<int64_t>();
  TORCH_CHECK(
      false,
      "weighted_cross_entropy: targets must be in [0, ", vocabulary, "), got ", targets[at].item<int64_t>(),
      " at token ", at, "\nhint: ", kIgnoredTarget, " takes a token out of the loss");
}

}  // namespace promptloss
