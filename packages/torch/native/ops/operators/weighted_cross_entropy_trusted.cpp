// weighted_cross_entropy on an accelerator whose caller vouches for targets and weights: nothing is read back, so the host
// goes on while the device computes. As the plain kernel it takes a chunk of tokens at a time from logits to gradients.
//
// Here a token's weight scales the derivatives by its logits, in float32 before they are rounded: neither the weights'
// maximum nor their sum is needed as a number.
#include <algorithm>

#include "device_memory.h"
#include "head_products.h"
#include "weighted_cross_entropy.h"
#include "weighted_cross_entropy_chunk.h"

namespace promptloss {
namespace weighted_cross_entropy_operator {

/** The part of the memory that is free which a chunk may take, and its bounds in bytes. */
constexpr int64_t kPartOfFree = 4;
constexpr int64_t kLeastChunkBytes = int64_t{64} << 20;
constexpr int64_t kMostChunkBytes = int64_t{2} << 30;
/** Where the free memory is not known. */
constexpr int64_t kUsualChunkBytes = int64_t{512} << 20;
/** Chunks of whole tiles of the products, so that the same buffers serve again. */
constexpr int64_t kRowsTogether = 256;

int64_t chunk_bytes(const at::Device& device) {
  const auto memory = device_memory(device);
  if (memory.total == 0) return kUsualChunkBytes;
  const auto free = memory.free + memory.reserved - memory.allocated;
  return std::min(std::max(free / kPartOfFree, kLeastChunkBytes), kMostChunkBytes);
}

/** Tokens of a chunk: the caller's choice, or as many as the memory has room for. */
int64_t trusted_rows(int64_t count, const at::Tensor& head, at::ScalarType compute, int64_t chosen) {
  if (chosen > 0) return std::min(chosen, count);
  const auto row_bytes = head.size(0) * static_cast<int64_t>(2 * sizeof(float) + c10::elementSize(compute));
  const auto rows = chunk_bytes(head.device()) / row_bytes;
  return std::min(count, std::max(kRowsTogether, rows / kRowsTogether * kRowsTogether));
}

/** Whether `trusted_forward` serves: float16's range asks for scaling, and a weight's own gradient for all tokens. */
bool takes_trusted(
    const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings, const GradientMask& gradients) {
  const auto compute = product_dtype(inputs, settings);
  return settings.trusted && !gradients[kWeights] && (compute == at::kBFloat16 || compute == at::kFloat) &&
         (!inputs.hidden.is_cpu() || !fused_kernels(Fused::kCrossEntropy));
}

}  // namespace weighted_cross_entropy_operator

ForwardResult trusted_forward(
    const WeightedCrossEntropyInputs& inputs, const WeightedCrossEntropySettings& settings, const GradientMask& gradients) {
  using namespace weighted_cross_entropy_operator;
  const auto compute = product_dtype(inputs, settings);
  const auto tokens = inputs.targets.numel(), units = inputs.head.size(1), vocabulary = inputs.head.size(0);
  const auto options = inputs.hidden.options().dtype(at::kFloat);
  const auto active = settings.places.has_value() ? *settings.places : at::Tensor();
  const auto counting = [&](const at::Tensor& values) { return active.defined() ? values.index_select(0, active) : values; };
  const auto hidden = counting(inputs.hidden.reshape({tokens, units})).to(compute);
  const auto targets = counting(inputs.targets.reshape({tokens}));
  auto weights = counting(inputs.weights.reshape({tokens})).to(at::kFloat);
  if (settings.mean()) weights = weights.div(weights.sum());
  const auto count = targets.size(0);

  const auto losses = at::empty({count}, options), cross_entropy = at::empty({count}, options);
  const auto correct = at::empty({count}, options.dtype(at::kBool));
  const bool differentiate = gradients[kHidden] || gradients[kHead] || gradients[kBias];
  at::Tensor grad_hidden, grad_head, grad_bias;
  if (gradients[kHidden]) grad_hidden = at::empty({count, units}, hidden.options());
  if (gradients[kHead]) grad_head = count > 0 ? at::empty({vocabulary, units}, options) : at::zeros({vocabulary, units}, options);
  if (gradients[kBias]) grad_bias = at::zeros({vocabulary}, options);

  if (count > 0) {
    const HeadProducts products(inputs.head, compute, gradients[kHidden]);
    const auto rows = trusted_rows(count, inputs.head, compute, settings.chunk_size);
    ChunkKernel kernel(products, inputs.bias, settings, {rows, vocabulary}, options, compute);
    for (int64_t begin = 0; begin < count; begin += rows) {
      const auto size = std::min(rows, count - begin);
      const auto own_hidden = hidden.narrow(0, begin, size), own_targets = targets.narrow(0, begin, size);
      const auto scores = kernel.scores(own_hidden, own_targets, differentiate, at::Tensor());
      losses.narrow(0, begin, size).copy_(scores.losses);
      cross_entropy.narrow(0, begin, size).copy_(scores.cross_entropy);
      correct.narrow(0, begin, size).copy_(scores.correct);
      if (!differentiate) continue;
      const auto exact = kernel.logit_gradients(own_targets).mul_(weights.narrow(0, begin, size).unsqueeze(1));
      if (gradients[kBias]) grad_bias.add_(exact.sum({0}));
      if (!gradients[kHidden] && !gradients[kHead]) continue;
      const auto by_logits = kernel.rounded(exact);
      if (gradients[kHidden]) products.hidden_gradients(grad_hidden.narrow(0, begin, size), by_logits);
      if (gradients[kHead]) products.add_head_gradients(grad_head, by_logits, own_hidden, 1, begin == 0);
    }
  }
  const auto among_all = [&](const at::Tensor& values) {
    return spread(values, active, tokens).reshape(inputs.targets.sizes());
  };
  if (gradients[kHidden]) grad_hidden = spread(grad_hidden, active, tokens).reshape(inputs.hidden.sizes());
  return {losses.mul(weights).sum(), among_all(cross_entropy), among_all(correct), grad_hidden, grad_head, grad_bias, at::Tensor()};
}

}  // namespace promptloss
