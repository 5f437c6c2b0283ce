// The derivative of weighted_cross_entropy: the forward pass has computed the gradients already, so the backward pass
// only scales them. First order only: a second derivative is an error, never a silent zero.
#include "weighted_cross_entropy.h"

#include <torch/csrc/autograd/custom_function.h>

namespace promptloss {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

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
    // Saved in pairs: the gradients first, then the inputs that they belong to.
    const std::array<at::Tensor, 4> all{grad_hidden, grad_head, grad_bias, grad_weights};
    const std::array<at::Tensor, 4> inputs{hidden, head, bias.has_value() ? *bias : at::Tensor(), weights};
    variable_list saved, owners;
    for (size_t i = 0; i < wanted.size(); i++) {
      if (wanted[i]) {
        saved.push_back(all[i]);
        owners.push_back(inputs[i]);
      }
    }
    saved.insert(saved.end(), owners.begin(), owners.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["wanted"] = c10::List<bool>({wanted[0], wanted[1], wanted[2], wanted[3]});
    ctx->mark_non_differentiable({token_losses, token_correct});
    return {loss, token_losses, token_correct};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& outputs) {
    const auto& grad_loss = outputs[0];
    const auto saved = ctx->get_saved_variables();
    const auto half = saved.size() / 2;
    const auto gradients = at::TensorList(saved).slice(0, half);
    const auto inputs = at::TensorList(saved).slice(half);
    variable_list scaled;
    if (at::GradMode::is_enabled()) {
      scaled = FirstOrderOnly::apply(grad_loss, gradients, inputs);
    } else if (grad_loss.is_cpu() && grad_loss.item<double>() == 1.0) {
      // The usual root of a backward pass. On other devices the look would wait for the device.
      for (size_t i = 0; i < half; i++) {
        scaled.push_back(gradients[i].to(inputs[i].scalar_type()));
      }
    } else {
      scaled = scale(grad_loss, gradients, inputs);
    }
    const auto wanted = ctx->saved_data["wanted"].toBoolList();
    std::array<at::Tensor, 4> all;
    for (size_t i = 0, next = 0; i < all.size(); i++) {
      if (wanted[i]) {
        all[i] = scaled[next++];
      }
    }
    return {all[kHidden], all[kHead], at::Tensor(), all[kWeights], all[kBias], at::Tensor(), at::Tensor()};
  }
};

}  // namespace

Outputs differentiable_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings) {
  check_arguments(inputs, settings);
  const auto& [hidden, head, targets, weights, bias] = inputs;
  const auto wants = [](const at::Tensor& tensor) { return at::GradMode::is_enabled() && tensor.requires_grad(); };
  const GradientMask wanted{wants(hidden), wants(head), bias.has_value() && wants(*bias), wants(weights)};
  const auto outputs = WeightedCrossEntropy::apply(hidden, head, targets, weights, bias, settings, wanted);
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace promptloss
