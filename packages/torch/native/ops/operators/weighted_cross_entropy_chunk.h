// The part of weighted_cross_entropy that sees logits: the losses of one chunk of tokens after another, and their
// derivatives by the logits, in buffers that every chunk uses again. Weights and the head's gradient are the caller's.
#pragma once

#include "../kernels/share.h"
#include "../kernels/softmax_rows.h"
#include "fused.h"
#include "head_products.h"
#include "weighted_cross_entropy.h"

namespace promptloss {

class ChunkKernel {
 public:
  /**
   * @param shape tokens of the longest chunk, and entries of the vocabulary
   * @param options of the accumulation dtype
   * @param compute dtype of the products
   */
  ChunkKernel(
      const HeadProducts& head,
      const Optional<at::Tensor>& bias,
      const WeightedCrossEntropySettings& settings,
      at::IntArrayRef shape,
      const at::TensorOptions& options,
      at::ScalarType compute)
      : head_(head), settings_(settings) {
    products_ = at::empty(shape, options.dtype(compute));
    rounded_ = options.dtype() != products_.dtype();
    by_rows_ = fused_kernels(Fused::kCrossEntropy) && products_.is_cpu() && is_float_or_half(compute) && !bias.has_value() && settings.logit_softcap == 0;
    if (by_rows_) {
      return;
    }
    logits_ = rounded_ ? at::empty(shape, options) : products_;
    logp_ = at::empty_like(logits_);
    if (bias.has_value()) {
      bias_ = bias->to(options.dtype());
    }
  }

  /** What the logits of tokens say of their targets, each [rows]. */
  struct Scores {
    at::Tensor losses;         // what is weighted: the cross entropy with the smoothed target
    at::Tensor cross_entropy;  // with the target itself
    at::Tensor correct;        // bool: no other entry is likelier
  };

  /**
   * The scores of tokens with these hidden states [rows, D] and targets [rows].
   * @param gradients whether `logit_gradients` is asked next
   * @param by_hidden [rows, D], undefined where nobody wants it: with `fills_hidden_gradients`, the losses' derivatives
   *   by the hidden states
   */
  Scores scores(const at::Tensor& hidden, const at::Tensor& targets, bool gradients, const at::Tensor& by_hidden) {
    const auto rows = hidden.size(0);
    auto products = products_.narrow(0, 0, rows);
    if (by_rows_) {
      return scores_by_rows(products, hidden, targets.contiguous(), gradients, by_hidden);
    }
    auto logits = logits_.narrow(0, 0, rows);
    auto logp = logp_.narrow(0, 0, rows);
    const bool widened = rounded_ && head_.widens(logits);
    if (bias_.defined() && !rounded_) {
      at::addmm_out(logits, bias_, hidden, head_.head().t());
    } else {
      head_.logits(widened ? logits : products, hidden);
    }
    if (rounded_) {
      if (!widened) logits.copy_(products);
      if (bias_.defined()) {
        logits.add_(bias_);
      }
    }
    const double cap = settings_.logit_softcap;
    if (cap > 0) {
      logits.div_(cap).tanh_().mul_(cap);
    }
    at::_log_softmax_out(logp, logits, 1, false);
    auto cross_entropy = logp.gather(1, targets.unsqueeze(1)).squeeze(1);
    const auto correct = cross_entropy.ge(logp.amax(1));
    cross_entropy.neg_();
    const double smoothing = settings_.label_smoothing;
    if (smoothing == 0) {
      return {cross_entropy, cross_entropy, correct};
    }
    return {cross_entropy.mul(1 - smoothing).sub_(logp.mean(1), smoothing), cross_entropy, correct};
  }

  /** Whether `scores` writes the hidden states' gradients, while the logits that they are made of are in the cache. */
  bool fills_hidden_gradients() const {
    return by_rows_ && head_.packed();
  }

  /**
   * d(loss of the token) / d(logits of the token), [rows, V], of the chunk that `scores` saw last: in the accumulation
   * dtype, or, where nobody needs that (a bias' gradient does), in the products'. Overwrites its log-probabilities.
   */
  at::Tensor logit_gradients(const at::Tensor& targets) {
    const auto rows = targets.size(0);
    if (by_rows_) {
      return products_.narrow(0, 0, rows);
    }
    const double smoothing = settings_.label_smoothing;
    auto gradients = logp_.narrow(0, 0, rows).exp_();
    const auto column = targets.unsqueeze(1);
    gradients.scatter_add_(1, column, at::full_like(column, smoothing - 1, gradients.options()));
    if (smoothing > 0) {
      gradients.sub_(smoothing / static_cast<double>(gradients.size(1)));
    }
    const double cap = settings_.logit_softcap;
    if (cap > 0) {
      // d/dz c tanh(z / c) = 1 - tanh(z / c)^2, and the capped logits are c tanh(z / c).
      auto logits = logits_.narrow(0, 0, rows).div_(cap);
      gradients.sub_(logits.square_().mul_(gradients));
    }
    return gradients;
  }

  /** The same values in the dtype of the products; shares the chunk's buffers. */
  at::Tensor rounded(const at::Tensor& gradients) {
    return gradients.scalar_type() != products_.scalar_type() ? products_.narrow(0, 0, gradients.size(0)).copy_(gradients) : gradients;
  }

 private:
  /** Rows that go from logits to gradients at a time, by one thread: fewer where some thread would have none. */
  static constexpr int64_t kRowBlock = 128;

  Scores scores_by_rows(
      const at::Tensor& logits, const at::Tensor& hidden, const at::Tensor& targets, bool gradients, const at::Tensor& by_hidden) {
    const auto rows = hidden.size(0);
    const auto floats = at::TensorOptions(at::kFloat);
    const Scores found{at::empty({rows}, floats), at::empty({rows}, floats), at::empty({rows}, floats.dtype(at::kBool))};
    const SoftmaxRows work{
        is_half(logits), memory_of(logits), logits.size(1), memory_of<const int64_t>(targets),
        static_cast<float>(settings_.label_smoothing), gradients, memory_of<float>(found.losses),
        memory_of<float>(found.cross_entropy), memory_of<bool>(found.correct)};
    if (!head_.packed()) {
      head_.logits(logits, hidden);
      divide(rows, 1, [&](int64_t begin, int64_t end) { softmax_rows(work, begin, end); });
      return found;
    }
    const auto blocks = std::min<int64_t>(rows, std::max<int64_t>((rows + kRowBlock - 1) / kRowBlock, at::get_num_threads()));
    share(blocks, [&](int64_t block) {
      const auto begin = rows * block / blocks, size = rows * (block + 1) / blocks - begin;
      const auto own = logits.narrow(0, begin, size);
      head_.logits_here(own, hidden.narrow(0, begin, size));
      softmax_rows(work, begin, begin + size);
      if (by_hidden.defined()) head_.hidden_gradients_here(by_hidden.narrow(0, begin, size), own);
    });
    return found;
  }

  const HeadProducts& head_;
  at::Tensor bias_, products_, logits_, logp_;
  const WeightedCrossEntropySettings& settings_;
  bool rounded_;
  /** Whether rows of logits become losses and gradients in one go. */
  bool by_rows_;
};

}  // namespace promptloss
