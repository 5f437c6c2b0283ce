// The three products of weighted_cross_entropy with the head: logits, and the gradients of hidden states and of the
// head. By kernels/products.h, for which the head is packed once for all chunks, or else by ATen's operators.
#pragma once

#include <memory>

#include "matrices.h"

namespace promptloss {

class HeadProducts {
 public:
  /**
   * @param head [V, D]
   * @param compute dtype of the products' operands
   * @param backward whether `hidden_gradients` will be asked
   */
  HeadProducts(const at::Tensor& head, at::ScalarType compute, bool backward);

  /** logits [rows, V] = hidden [rows, D] . head^T. */
  void logits(const at::Tensor& logits, const at::Tensor& hidden) const;

  /** Whether `logits` gives float32 of 16-bit factors, unrounded, to a tensor like this. */
  bool widens(const at::Tensor& logits) const;

  /** to [rows, D] = by_logits [rows, V] . head. */
  void hidden_gradients(const at::Tensor& to, const at::Tensor& by_logits) const;

  /** The two above on the calling thread alone, where `packed`. */
  void logits_here(const at::Tensor& logits, const at::Tensor& hidden) const;
  void hidden_gradients_here(const at::Tensor& to, const at::Tensor& by_logits) const;

  /** total [V, D] += scale * by_logits^T . hidden, or = where `first`. */
  void add_head_gradients(
      const at::Tensor& total, const at::Tensor& by_logits, const at::Tensor& hidden, double scale, bool first) const;

  /** The head in the dtype of the products, where these are ATen's. */
  const at::Tensor& head() const { return head_; }

  /** Whether kernels/products.h multiplies. */
  bool packed() const { return by_vocabulary_ != nullptr; }

 private:
  at::Tensor head_;
  const ProductKernels* kernels_ = nullptr;
  std::unique_ptr<PackedFactor> by_vocabulary_, by_units_;
};

}  // namespace promptloss
