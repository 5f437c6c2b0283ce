// The derivative of weighted_cross_entropy: the forward pass has computed the gradients already, so the backward pass
// only scales them. First order only: a second derivative is an error, never a silent zero.
#include "weighted_cross_entropy.h"

#include "operator.h"
#include "writable.h"

namespace promptloss {
namespace weighted_cross_entropy_operator {

using torch::autograd::Function;

/** Gradients times grad_loss, in the dtypes of the inputs that they belong to. */
variable_list scale(const at::Tensor& grad_loss, at::TensorList gradients, at::TensorList inputs) {
  variable_list scaled;
  for (size_t i = 0; i < gradients.size(); i++) {
    scaled.push_back(gradients[i].mul(grad_loss).to(inputs[i].scalar_type()));
  }
  return scaled;
}

/** `scale` as a function of the inputs too, so that whoever differentiates the gradients again is told. */
struct FirstOrderOnly : public Function<FirstOrderOnly> {
  static variable_list forward(
      AutogradContext* /*ctx*/, const at::Tensor& grad_loss, at::TensorList gradients, at::TensorList inputs) {
    return scale(grad_loss, gradients, inputs);
  }

  static variable_list backward(AutogradContext* /*ctx*/, const variable_list& /*outputs*/) {
    TORCH_CHECK(
        false,
        "weighted_cross_entropy: second derivatives are not implemented",
        "\nhint: for a gradient of a gradient use cross_entropy on logits of your own");
  }
};

struct WeightedCrossEntropy : public Function<WeightedCrossEntropy> {
  static variable_list forward(
      AutogradContext* ctx,
      const at::Tensor& hidden,
      const at::Tensor& head,
      const at::Tensor& targets,
      const at::Tensor& weights,
      const Optional<at::Tensor>& bias,
      const WeightedCrossEntropySettings& settings,
      const GradientMask& wanted) {
    const auto results = dispatch_forward({hidden, head, targets, weights, bias}, settings, wanted);
    const auto& [loss, token_losses, token_correct, grad_hidden, grad_head, grad_bias, grad_weights] = results;
    const std::array<at::Tensor, 4> all{grad_hidden, grad_head, grad_bias, grad_weights};
    const std::array<at::Tensor, 4> inputs{hidden, head, bias.has_value() ? *bias : at::Tensor(), weights};
    // Gradients, and in the same order the inputs that they belong to.
    c10::List<at::Tensor> gradients;
    variable_list owners;
    for (size_t i = 0; i < wanted.size(); i++) {
      if (wanted[i]) {
        gradients.push_back(all[i]);
        owners.push_back(inputs[i]);
      }
    }
    ctx->save_for_backward(owners);
    ctx->saved_data["gradients"] = gradients;
    ctx->saved_data["wanted"] = c10::List<bool>({wanted[0], wanted[1], wanted[2], wanted[3]});
    ctx->mark_non_differentiable({token_losses, token_correct});
    return {loss, token_losses, token_correct};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& outputs) {
    const auto& grad_loss = outputs[0];
    const auto inputs = ctx->get_saved_variables();
    auto gradients = ctx->saved_data["gradients"].toTensorVector();
    // Given away, a gradient becomes the parameter's, or is added to in place, without a copy. A graph that is kept
    // gives copies: whoever gets one may write to it.
    const bool last = is_last_backward();
    if (last) ctx->saved_data.erase("gradients");
    variable_list scaled;
    if (at::GradMode::is_enabled()) {
      scaled = FirstOrderOnly::apply(grad_loss, at::TensorList(gradients), at::TensorList(inputs));
    } else if (grad_loss.is_cpu() && grad_loss.item<double>() == 1.0) {
      // The usual root of a backward pass. On other devices the look would wait for the device.
      for (size_t i = 0; i < gradients.size(); i++) {
        scaled.push_back(gradients[i].to(inputs[i].scalar_type(), /*non_blocking=*/false, /*copy=*/!last));
        gradients[i].reset();
      }
    } else {
      scaled = scale(grad_loss, gradients, inputs);
    }
    const auto wanted = ctx->saved_data["wanted"].toBoolList();
    std::array<at::Tensor, 4> all;
    for (size_t i = 0, next = 0; i < all.size(); i++) {
      if (wanted[i]) {
        all[i] = std::move(scaled[next++]);
      }
    }
    variable_list result(7);
    result[0] = std::move(all[kHidden]);
    result[1] = std::move(all[kHead]);
    result[3] = std::move(all[kWeights]);
    result[4] = std::move(all[kBias]);
    return result;
  }
};

}  // namespace weighted_cross_entropy_operator

Outputs differentiable_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings) {
  check_arguments(inputs, settings);
  const auto& [hidden, head, targets, weights, bias] = inputs;
  const auto wants = [](const at::Tensor& tensor) { return at::GradMode::is_enabled() && tensor.requires_grad(); };
  const GradientMask wanted{wants(hidden), wants(head), bias.has_value() && wants(*bias), wants(weights)};
  const auto outputs = weighted_cross_entropy_operator::WeightedCrossEntropy::apply(hidden, head, targets, weights, bias, settings, wanted);
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace promptloss
