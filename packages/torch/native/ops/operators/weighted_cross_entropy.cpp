// The operators promptloss::weighted_cross_entropy and promptloss::weighted_cross_entropy_forward, by dispatch key;
// ../operators.cpp has their schemas. A faster kernel for one processor is registered for its key as
// weighted_cross_entropy_forward, and all else stays as it is.
#include "weighted_cross_entropy.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include "operator.h"

namespace promptloss::weighted_cross_entropy_operator {

bool takes_trusted(
    const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings, const GradientMask& gradients);

/** The inner operator, as the dispatcher calls it. */
ForwardResult forward_kernel(
    const at::Tensor& hidden,
    const at::Tensor& head,
    const at::Tensor& targets,
    const at::Tensor& weights,
    const Optional<at::Tensor>& bias,
    std::string reduction,
    double label_smoothing,
    double logit_softcap,
    int64_t chunk_size,
    Optional<at::ScalarType> compute_dtype,
    GradientMask gradients,
    const Optional<at::Tensor>& places,
    bool trusted) {
  // Out= variants and in-place updates: nothing in here may be recorded.
  at::AutoDispatchBelowADInplaceOrView guard;
  const WeightedCrossEntropyInputs inputs{hidden, head, targets, weights, bias};
  const WeightedCrossEntropySettings settings{
      std::move(reduction), label_smoothing, logit_softcap, chunk_size, compute_dtype, places, trusted};
  check_arguments(inputs, settings);
  TORCH_CHECK(
      !gradients[kBias] || bias.has_value(),
      "weighted_cross_entropy_forward: gradients asks for bias's, but there is no bias");
  return takes_trusted(inputs, settings, gradients) ? trusted_forward(inputs, settings, gradients)
                                                    : chunked_forward(inputs, settings, gradients);
}

/** The operator where nothing records a graph: inference mode. */
Outputs plain(const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings) {
  const auto results = dispatch_forward(inputs, settings, {false, false, false, false});
  return {std::get<0>(results), std::get<1>(results), std::get<2>(results)};
}

/**
 * Under autocast the products run in its dtype, while the softmax, the loss and the gradients' sums stay float32.
 * The casts are inside the operator, so that a float32 head receives its gradient without a round trip through 16 bits.
 */
Outputs autocast(const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings) {
  const WithoutAutocast guard;
  const auto& hidden = inputs.hidden;
  const auto& head = inputs.head;
  auto cast = settings;
  // As torch's own casts do, float64 is left alone.
  if (hidden.defined() && head.defined() && hidden.scalar_type() != at::kDouble && head.scalar_type() != at::kDouble) {
    cast.compute_dtype = autocast_dtype(hidden);
  }
  return differentiable_forward(inputs, cast);
}

/** The outer operator, as the dispatcher calls it: one way to run it for each dispatch key. */
template <Outputs (*Run)(const WeightedCrossEntropyInputs&, const WeightedCrossEntropySettings&)>
Outputs entry(
    const at::Tensor& hidden,
    const at::Tensor& head,
    const at::Tensor& targets,
    const at::Tensor& weights,
    const Optional<at::Tensor>& bias,
    std::string reduction,
    double label_smoothing,
    double logit_softcap,
    int64_t chunk_size,
    const Optional<at::Tensor>& places,
    bool trusted) {
  return Run(
      {hidden, head, targets, weights, bias},
      {std::move(reduction), label_smoothing, logit_softcap, chunk_size, {}, places, trusted});
}

}  // namespace promptloss::weighted_cross_entropy_operator

namespace promptloss {

ForwardResult dispatch_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings,
    const GradientMask& gradients) {
  at::AutoDispatchBelowADInplaceOrView guard;
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("promptloss::weighted_cross_entropy_forward", "")
                             .typed<decltype(weighted_cross_entropy_operator::forward_kernel)>();
  return op.call(
      inputs.hidden,
      inputs.head,
      inputs.targets,
      inputs.weights,
      inputs.bias,
      settings.reduction,
      settings.label_smoothing,
      settings.logit_softcap,
      settings.chunk_size,
      settings.compute_dtype,
      gradients,
      settings.places,
      settings.trusted);
}

}  // namespace promptloss
