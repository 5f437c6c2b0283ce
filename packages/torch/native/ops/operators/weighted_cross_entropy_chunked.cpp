// The plain kernel of weighted_cross_entropy, composed of ATen's operators, so that it serves every device.
// It takes the tokens whose weight counts, and for a chunk of these at a time computes the logits, their losses and
// at once the gradients, so that the logits of a token are computed once and never kept.
#include <ATen/Parallel.h>

#include "head_products.h"
#include "weighted_cross_entropy.h"
#include "weighted_cross_entropy_chunk.h"

#include <algorithm>
#include <cmath>

namespace promptloss {
namespace weighted_cross_entropy_operator {

/**
 * Tokens a chunk, where the caller does not choose: adding a chunk to the head's gradient costs a pass over all of it,
 * which more tokens share, while the chunk's logits leave the cache. Of 64, 128, 256 and 512 tokens 256 took least
 * time on two cores, for vocabularies of 32,000 and 128,256; more cores take more, so that each has enough to do.
 * Elsewhere products are faster against memory: longer chunks.
 */
constexpr int64_t kChunkTokens = 256;
constexpr int64_t kChunkTokensOfThread = 64;
constexpr int64_t kAcceleratorChunkTokens = 2048;

int64_t most_tokens(bool cpu) {
  if (!cpu) return kAcceleratorChunkTokens;
  return std::min(std::max(kChunkTokens, kChunkTokensOfThread * at::get_num_threads()), kAcceleratorChunkTokens);
}

/** A small vocabulary takes more tokens: this many bytes of logits in the accumulation dtype are no burden. */
constexpr int64_t kSmallChunkBytes = int64_t{32} << 20;

/** Tokens a chunk: the caller's choice, or the defaults above spread evenly over the chunks. */
int64_t rows_per_chunk(int64_t tokens, const at::Tensor& head, at::ScalarType accumulation, int64_t chosen) {
  if (chosen > 0) {
    return std::min(chosen, tokens);
  }
  const int64_t row_bytes = head.size(0) * static_cast<int64_t>(c10::elementSize(accumulation));
  const int64_t most = std::max(most_tokens(head.is_cpu()), kSmallChunkBytes / row_bytes);
  const int64_t chunks = (tokens + most - 1) / most;
  return (tokens + chunks - 1) / chunks;
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

/** The tokens that the loss depends on; `active` are their places among all, undefined where they are all. */
struct CountingTokens {
  at::Tensor hidden;   // [count, D], in the dtype of the products
  at::Tensor targets;  // [count]
  at::Tensor weights;  // [count], in the accumulation dtype
  at::Tensor active;   // [count]
  double total_weight;
};

CountingTokens counting_tokens(
    const WeightedCrossEntropyInputs& inputs,
    bool weights_want_gradients,
    bool trusted,
    at::ScalarType compute,
    at::ScalarType accumulation) {
  const auto tokens = inputs.targets.numel();
  const auto hidden = inputs.hidden.reshape({tokens, inputs.head.size(1)});
  const auto targets = inputs.targets.reshape({tokens});
  const auto weights = inputs.weights.reshape({tokens}).to(accumulation);
  if (!trusted) check_values(targets, weights, inputs.head.size(0));
  auto counts = targets.ne(kIgnoredTarget);
  // A weight's own gradient is its token's loss, so a weight of 0 that wants one needs its token's logits.
  if (!weights_want_gradients) {
    counts.logical_and_(weights.ne(0));
  }
  const auto active = counts.nonzero().squeeze(1);
  if (active.size(0) == tokens) {
    return {hidden.to(compute), targets, weights, at::Tensor(), weights.sum().item<double>()};
  }
  const auto selected = weights.index_select(0, active);
  return {
      hidden.index_select(0, active).to(compute),
      targets.index_select(0, active),
      selected,
      active,
      selected.sum().item<double>()};
}

}  // namespace weighted_cross_entropy_operator

ForwardResult chunked_forward(
    const WeightedCrossEntropyInputs& inputs,
    const WeightedCrossEntropySettings& settings,
    const GradientMask& gradients) {
  using namespace weighted_cross_entropy_operator;
  const auto compute = product_dtype(inputs, settings);
  const auto accumulation = accumulation_dtype(compute);
  const auto tokens = inputs.targets.numel();
  const auto units = inputs.head.size(1);
  const auto vocabulary = inputs.head.size(0);
  const auto options = inputs.hidden.options().dtype(accumulation);

  const auto [hidden, targets, weights, active, total_weight] =
      counting_tokens(inputs, gradients[kWeights], settings.trusted, compute, accumulation);
  TORCH_CHECK(
      !settings.mean() || total_weight > 0,
      "weighted_cross_entropy: no token has a weight above 0 and a target, so their mean is not defined",
      "\nhint: leave out batches without such tokens, or use reduction=\"sum\", whose loss is then 0");
  TORCH_CHECK(
      std::isfinite(total_weight), "weighted_cross_entropy: weights must have a finite sum, got ", total_weight);
  const double denominator = settings.mean() ? total_weight : 1.0;
  const auto count = targets.size(0);

  auto losses = at::empty({count}, options);
  auto cross_entropy = at::empty({count}, options);
  auto correct = at::empty({count}, options.dtype(at::kBool));
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
    const HeadProducts products(inputs.head, compute, gradients[kHidden]);
    const auto rows = rows_per_chunk(count, inputs.head, accumulation, settings.chunk_size);
    ChunkKernel kernel(products, inputs.bias, settings, {rows, vocabulary}, options, compute);
    // Rows are scaled by w / max(w): exact for the weights 0 and 1, and within float16's range.
    const double largest = weights.max().item<double>();
    const double scale = largest / denominator;
    const auto row_scales = largest > 0 ? weights.div(largest) : weights;
    for (int64_t begin = 0; begin < count; begin += rows) {
      const auto size = std::min(rows, count - begin);
      const auto chunk_hidden = hidden.narrow(0, begin, size);
      const auto chunk_targets = targets.narrow(0, begin, size);
      const auto chunk_scales = row_scales.narrow(0, begin, size).unsqueeze(1);
      const bool differentiate = gradients[kHidden] || gradients[kHead] || gradients[kBias];
      const auto by_hidden = gradients[kHidden] ? grad_hidden.narrow(0, begin, size) : at::Tensor();
      const auto scores = kernel.scores(chunk_hidden, chunk_targets, differentiate, by_hidden);
      losses.narrow(0, begin, size).copy_(scores.losses);
      cross_entropy.narrow(0, begin, size).copy_(scores.cross_entropy);
      correct.narrow(0, begin, size).copy_(scores.correct);
      if (!differentiate) {
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
        if (!kernel.fills_hidden_gradients()) {
          products.hidden_gradients(by_hidden, logit_gradients);
        }
        by_hidden.mul_(chunk_scales);
      }
      if (gradients[kHead]) {
        const auto scaled = chunk_hidden.mul(chunk_scales).to(compute);
        products.add_head_gradients(grad_head, logit_gradients, scaled, scale, begin == 0);
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
    const auto silent = weights.eq(0);
    cross_entropy.masked_fill_(silent, 0);
    correct.masked_fill_(silent, false);
  }
  if (gradients[kHidden]) {
    grad_hidden = spread(grad_hidden, active, tokens).reshape(inputs.hidden.sizes());
  }
  const auto among_all = [&](const at::Tensor& values) {
    return spread(values, active, tokens).reshape(inputs.targets.sizes());
  };
  return {loss, among_all(cross_entropy), among_all(correct), grad_hidden, grad_head, grad_bias, grad_weights};
}

}  // namespace promptloss
