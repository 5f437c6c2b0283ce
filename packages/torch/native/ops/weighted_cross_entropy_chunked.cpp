// The plain kernel of weighted_cross_entropy, composed of ATen's operators, so that it serves every device.
// It takes the tokens whose weight counts, and for a chunk of these at a time computes the logits, their losses and
// at once the gradients, so that the logits of a token are computed once and never kept.
#include "weighted_cross_entropy.h"

#include <algorithm>

namespace promptloss {
namespace {

/** Bytes of a chunk's logits in the accumulation dtype, where the caller does not choose the chunk. */
constexpr int64_t kChunkBytes = int64_t{64} << 20;

/** Rows of the head's gradient that are computed at a time where a product is rounded before it is added. */
constexpr int64_t kGradientSlice = 4096;

/** Tokens a chunk: the caller's, or as many as fill kChunkBytes, spread evenly over the chunks. */
int64_t rows_per_chunk(int64_t tokens, int64_t vocabulary, int64_t element_size, int64_t chosen) {
  if (chosen > 0) {
    return std::min(chosen, tokens);
  }
  const int64_t most = std::max<int64_t>(1, kChunkBytes / (vocabulary * element_size));
  const int64_t chunks = (tokens + most - 1) / most;
  return (tokens + chunks - 1) / chunks;
}

/** The logits of one chunk after another, in buffers that every chunk uses again. */
class ChunkKernel {
 public:
  ChunkKernel(
      const at::Tensor& head,
      const Optional<at::Tensor>& bias,
      const WeightedCrossEntropySettings& settings,
      at::ScalarType accumulation,
      int64_t rows)
      : head_(head), settings_(settings) {
    const auto vocabulary = head.size(0);
    products_ = at::empty({rows, vocabulary}, head.options());
    rounded_ = head.scalar_type() != accumulation;
    logits_ = rounded_ ? at::empty({rows, vocabulary}, head.options().dtype(accumulation)) : products_;
    logp_ = at::empty_like(logits_);
    if (bias.has_value()) {
      bias_ = bias->to(accumulation);
    }
  }

  /** The losses [rows] of tokens with these hidden states [rows, D] and targets [rows]. */
  at::Tensor losses(const at::Tensor& hidden, const at::Tensor& targets) {
    const auto rows = hidden.size(0);
    auto products = products_.narrow(0, 0, rows);
    auto logits = logits_.narrow(0, 0, rows);
    auto logp = logp_.narrow(0, 0, rows);
    if (bias_.defined() && !rounded_) {
      at::addmm_out(logits, bias_, hidden, head_.t());
    } else {
      at::mm_out(products, hidden, head_.t());
    }
    if (rounded_) {
      logits.copy_(products);
      if (bias_.defined()) {
        logits.add_(bias_);
      }
    }
    const double cap = settings_.logit_softcap;
    if (cap > 0) {
      logits.div_(cap).tanh_().mul_(cap);
    }
    at::_log_softmax_out(logp, logits, 1, false);
    auto losses = logp.gather(1, targets.unsqueeze(1)).squeeze(1).neg_();
    const double smoothing = settings_.label_smoothing;
    if (smoothing > 0) {
      losses.mul_(1 - smoothing).sub_(logp.mean(1), smoothing);
    }
    return losses;
  }

  /**
   * d(loss of the token) / d(logits of the token), [rows, V] in the accumulation dtype, of the chunk that `losses`
   * saw last. Overwrites its log-probabilities.
   */
  at::Tensor logit_gradients(const at::Tensor& targets) {
    const auto rows = targets.size(0);
    const double smoothing = settings_.label_smoothing;
    auto gradients = logp_.narrow(0, 0, rows).exp_();
    const auto column = targets.unsqueeze(1);
    gradients.scatter_add_(1, column, at::full_like(column, smoothing - 1, gradients.options()));
    if (smoothing > 0) {
      gradients.sub_(smoothing / static_cast<double>(head_.size(0)));
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
    return rounded_ ? products_.narrow(0, 0, gradients.size(0)).copy_(gradients) : gradients;
  }

 private:
  at::Tensor head_, bias_, products_, logits_, logp_;
  const WeightedCrossEntropySettings& settings_;
  bool rounded_;
};

/** total [V, D] += scale * left [V, rows] . right [rows, D], or = where `first`. */
void add_product(const at::Tensor& total, const at::Tensor& left, const at::Tensor& right, double scale, bool first) {
  if (total.scalar_type() == left.scalar_type()) {
    total.addmm_(left, right, first ? 0 : 1, scale);
    return;
  }
  // A product of 16-bit matrices is rounded to 16 bits; slices keep it in the cache until it is added in 32.
  for (int64_t begin = 0; begin < total.size(0); begin += kGradientSlice) {
    const auto size = std::min(kGradientSlice, total.size(0) - begin);
    const auto part = at::mm(left.narrow(0, begin, size), right).to(total.scalar_type());
    auto slice = total.narrow(0, begin, size);
    if (first) {
      at::mul_out(slice, part, at::scalar_tensor(scale, part.options()));
    } else {
      slice.add_(part, scale);
    }
  }
}

/** Rows of `values` [active, ...] put back among all tokens [tokens, ...]; the others are 0. */
at::Tensor spread(const at::Tensor& values, const at::Tensor& active, int64_t tokens) {
  if (!active.defined()) {
    return values;
  }
  auto shape = values.sizes().vec();
  shape[0] = tokens;
  return at::zeros(shape, values.options()).index_copy_(0, active, values);
}

}  // namespace

ForwardResult chunked_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings,
    const GradientMask& gradients) {
  const auto compute = product_dtype(inputs, settings);
  const auto accumulation = accumulation_dtype(compute);
  const auto tokens = inputs.targets.numel();
  const auto units = inputs.head.size(1);
  const auto vocabulary = inputs.head.size(0);
  const auto options = inputs.hidden.options().dtype(accumulation);

  auto targets = inputs.targets.reshape({tokens});
  const auto all_weights = inputs.weights.reshape({tokens}).to(accumulation);
  check_values(targets, all_weights, vocabulary);

  // A weight's own gradient is its token's loss, so a weight of 0 that wants one needs its token's logits.
  auto counts = targets.ne(kIgnoredTarget);
  if (!gradients[kWeights]) {
    counts.logical_and_(all_weights.ne(0));
  }
  at::Tensor active = counts.nonzero().squeeze(1);
  const auto count = active.size(0);
  if (count == tokens) {
    active = at::Tensor();
  }
  const auto select = [&](const at::Tensor& all) { return active.defined() ? all.index_select(0, active) : all; };
  targets = select(targets);
  const auto weights = select(all_weights);
  const double total_weight = weights.sum().item<double>();
  TORCH_CHECK(
      !settings.mean() || total_weight > 0,
      "weighted_cross_entropy: no token has a weight above 0 and a target, so their mean is not defined",
      "\nhint: leave out batches without such tokens, or use reduction=\"sum\", whose loss is then 0");
  const double denominator = settings.mean() ? total_weight : 1.0;

  const auto hidden = select(inputs.hidden.reshape({tokens, units})).to(compute);
  const auto head = inputs.head.to(compute);
  auto losses = at::empty({count}, options);
  at::Tensor grad_hidden, grad_head, grad_bias, grad_weights;
  if (gradients[kHidden]) {
    grad_hidden = at::empty({count, units}, options);
  }
  if (gradients[kHead]) {
    grad_head = count > 0 ? at::empty({vocabulary, units}, options) : at::zeros({vocabulary, units}, options);
  }
  if (gradients[kBias]) {
    grad_bias = at::zeros({vocabulary}, options);
  }

  if (count > 0) {
    const auto rows = rows_per_chunk(count, vocabulary, c10::elementSize(accumulation), settings.chunk_size);
    ChunkKernel kernel(head, inputs.bias, settings, accumulation, rows);
    // Rows are scaled by w / max(w): exact for the weights 0 and 1, and within float16's range.
    const double largest = weights.max().item<double>();
    const double scale = largest / denominator;
    const auto row_scales = largest > 0 ? weights.div(largest) : weights;
    for (int64_t begin = 0; begin < count; begin += rows) {
      const auto size = std::min(rows, count - begin);
      const auto chunk_hidden = hidden.narrow(0, begin, size);
      const auto chunk_targets = targets.narrow(0, begin, size);
      const auto chunk_scales = row_scales.narrow(0, begin, size).unsqueeze(1);
      losses.narrow(0, begin, size).copy_(kernel.losses(chunk_hidden, chunk_targets));
      if (!gradients[kHidden] && !gradients[kHead] && !gradients[kBias]) {
        continue;
      }
      const auto exact = kernel.logit_gradients(chunk_targets);
      if (gradients[kBias]) {
        grad_bias.addmv_(exact.t(), chunk_scales.squeeze(1), 1, scale);
      }
      if (!gradients[kHidden] && !gradients[kHead]) {
        continue;
      }
      const auto logit_gradients = kernel.rounded(exact);
      if (gradients[kHidden]) {
        grad_hidden.narrow(0, begin, size).copy_(at::mm(logit_gradients, head)).mul_(chunk_scales);
      }
      if (gradients[kHead]) {
        const auto scaled = chunk_hidden.mul(chunk_scales).to(compute);
        add_product(grad_head, logit_gradients.t(), scaled, scale, begin == 0);
      }
    }
    if (gradients[kHidden]) {
      grad_hidden.mul_(scale);
    }
  }

  const auto loss = losses.mul(weights).sum().div_(denominator);
  if (gradients[kWeights]) {
    grad_weights = settings.mean() ? losses.sub(loss).div_(denominator) : losses.clone();
    grad_weights = spread(grad_weights, active, tokens).reshape(inputs.weights.sizes());
    losses.masked_fill_(weights.eq(0), 0);
  }
  if (gradients[kHidden]) {
    grad_hidden = spread(grad_hidden, active, tokens).reshape(inputs.hidden.sizes());
  }
  const auto token_losses = spread(losses, active, tokens).reshape(inputs.targets.sizes());
  return {loss, token_losses, grad_hidden, grad_head, grad_bias, grad_weights};
}

}  // namespace promptloss
