// The token-weighted cross entropy of a language model's head: loss = sum of w * l, or that over the sum of w,
// where l = -log softmax(hidden . head^T + bias)[target]. What its sources share; nothing here knows of Node.
#pragma once

#include <array>
#include <string>
#include <tuple>

#include <ATen/ATen.h>

#include "optional.h"

namespace promptloss {

/** A target of this value takes its token out of the loss, as a weight of 0 does. */
constexpr int64_t kIgnoredTarget = -100;

/** N tokens, D hidden units, V vocabulary entries. */
struct WeightedCrossEntropyInputs {
  at::Tensor hidden;          // [..., D], floating
  at::Tensor head;            // [V, D], floating
  at::Tensor targets;         // [...], int64 in [0, V) or kIgnoredTarget
  at::Tensor weights;         // [...], float32 or float64, finite, not negative
  Optional<at::Tensor> bias;  // [V], floating
};

struct WeightedCrossEntropySettings {
  std::string reduction;                      // "mean" or "sum"
  double label_smoothing;                     // in [0, 1], as torch's cross_entropy defines it
  double logit_softcap;                       // c: logits become c * tanh(logits / c); 0 leaves them
  int64_t chunk_size;                         // tokens whose logits exist at one time; 0 chooses
  Optional<at::ScalarType> compute_dtype;     // of the matrix products; hidden's and head's own when absent
  /** Places [count] of the tokens that the loss depends on, int64; all where absent. Read where `trusted` alone. */
  Optional<at::Tensor> places;
  /** Whether the caller vouches for targets, weights and places: they are not looked at. */
  bool trusted;

  bool mean() const {
    return reduction == "mean";
  }
};

/** Which of hidden, head, bias and weights want a gradient, in this order (the schema's `bool[4] gradients`). */
using GradientMask = std::array<bool, 4>;
enum : size_t { kHidden = 0, kHead = 1, kBias = 2, kWeights = 3 };

/**
 * loss (), token_losses [...], token_correct [...] (bool), and the gradients of the loss by hidden, head, bias and
 * weights: undefined where not asked for. Losses and gradients are float32, or float64 where the inputs are: the
 * caller scales them before it rounds.
 */
using ForwardResult = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

/** loss, token_losses and token_correct. */
using Outputs = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

/** float64 for float64 products, else float32: what sums, the softmax and the loss are kept in. */
at::ScalarType accumulation_dtype(at::ScalarType compute_dtype);

/** The dtype of the matrix products: the autocast's, where there is one, else hidden's. */
at::ScalarType product_dtype(const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings);

/** Throws c10::Error, naming the argument, where a shape, dtype, device or setting does not fit. Reads no values. */
void check_arguments(const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings);

/** Throws c10::Error for a weight that is negative or not finite, and for a target outside the vocabulary. */
void check_values(const at::Tensor& targets, const at::Tensor& weights, int64_t vocabulary);

/** The plain ATen kernel: every device, logits in chunks, loss and gradients in one pass. Not differentiable. */
ForwardResult chunked_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings,
    const GradientMask& gradients);

/** The same where the caller vouches for the values, for accelerators: nothing is read back. */
ForwardResult trusted_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings,
    const GradientMask& gradients);

/** The kernel behind the dispatcher: whatever is registered for the tensors' device. */
ForwardResult dispatch_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings,
    const GradientMask& gradients);

/** The loss is differentiable once by hidden, head, bias and weights; the rest is not. */
Outputs differentiable_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings);

}  // namespace promptloss
