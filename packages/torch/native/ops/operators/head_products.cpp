#include "head_products.h"

#include "../kernels/add_scaled.h"
#include "fused.h"
#include "library_operator.h"

namespace promptloss {
namespace {

/** Elements of the head's gradient that a product is rounded for at a time, before it is added: they stay cached. */
constexpr int64_t kGradientSlice = int64_t{1} << 19;
/** The same where no cache is that large and each slice costs launches. */
constexpr int64_t kAcceleratorGradientSlice = int64_t{1} << 26;

/** Products of 16-bit matrices with a result in float32, which some accelerators' libtorch has. */
const LibraryOperator& wide_mm() {
  static const LibraryOperator found("aten::mm", "dtype_out");
  return found;
}

const LibraryOperator& wide_addmm() {
  static const LibraryOperator found("aten::addmm", "dtype_out");
  return found;
}

bool takes_wide(const LibraryOperator& product, const at::Tensor& to, const at::Tensor& factor) {
  return to.is_cuda() && to.scalar_type() == at::kFloat && factor.scalar_type() != at::kFloat && is_on(Way::wide_products) &&
         product.runs_on(to.device());
}

/** total [V, D] += scale * left [V, rows] . right [rows, D], or = where `first`, by ATen's operators. */
void add_product(const at::Tensor& total, const at::Tensor& left, const at::Tensor& right, double scale, bool first) {
  if (total.scalar_type() == left.scalar_type()) {
    total.addmm_(left, right, first ? 0 : 1, scale);
    return;
  }
  if (takes_wide(wide_addmm(), total, left)) {
    wide_addmm()({{"self", total}, {"mat1", left}, {"mat2", right}, {"out_dtype", at::kFloat}, {"beta", first ? 0 : 1},
                  {"alpha", scale}, {"out", total}});
    return;
  }
  // A product of 16-bit matrices is rounded to 16 bits; slices of it are added in 32.
  const auto slice_elements = total.is_cpu() ? kGradientSlice : kAcceleratorGradientSlice;
  const auto rows = std::max<int64_t>(1, slice_elements / std::max<int64_t>(1, total.size(1)));
  const auto product = at::empty({std::min(rows, total.size(0)), total.size(1)}, left.options());
  const auto widened = at::empty(product.sizes(), total.options());
  for (int64_t begin = 0; begin < total.size(0); begin += rows) {
    const auto size = std::min(rows, total.size(0) - begin);
    auto rounded = product.narrow(0, 0, size);
    at::mm_out(rounded, left.narrow(0, begin, size), right);
    auto slice = total.narrow(0, begin, size);
    if (fused_kernels(Fused::kCrossEntropy) && slice.is_cpu() && slice.scalar_type() == at::kFloat && is_half(rounded)) {
      add_scaled(memory_of<float>(slice), memory_of<BFloat16>(rounded), slice.numel(), static_cast<float>(scale), first);
      continue;
    }
    const auto part = widened.narrow(0, 0, size).copy_(rounded);
    if (first) {
      at::mul_out(slice, part, at::scalar_tensor(scale, part.options()));
    } else {
      slice.add_(part, scale);
    }
  }
}

}  // namespace

HeadProducts::HeadProducts(const at::Tensor& head, at::ScalarType compute, bool backward) {
  if (!fused_kernels(Fused::kProducts) || !has_products(compute) || !is_factor(head)) {
    head_ = head.to(compute);
    return;
  }
  kernels_ = product_kernels(operands_of(compute));
  by_vocabulary_ = std::make_unique<PackedFactor>(matrix_of(head.t()), kernels_);
  if (backward) {
    by_units_ = std::make_unique<PackedFactor>(matrix_of(head), kernels_);
  }
}

void HeadProducts::logits(const at::Tensor& logits, const at::Tensor& hidden) const {
  if (packed()) {
    multiply(logits, hidden, *by_vocabulary_);
    return;
  }
  if (takes_wide(wide_mm(), logits, hidden)) {
    wide_mm()({{"self", hidden}, {"mat2", head_.t()}, {"out_dtype", at::kFloat}, {"out", logits}});
    return;
  }
  auto result = logits;
  at::mm_out(result, hidden, head_.t());
}

bool HeadProducts::widens(const at::Tensor& logits) const { return !packed() && takes_wide(wide_mm(), logits, head_); }

void HeadProducts::hidden_gradients(const at::Tensor& to, const at::Tensor& by_logits) const {
  if (packed()) {
    multiply(to, by_logits, *by_units_);
  } else {
    auto result = to;
    if (to.scalar_type() == head_.scalar_type())
      at::mm_out(result, by_logits, head_);
    else
      result.copy_(at::mm(by_logits, head_));
  }
}

void HeadProducts::logits_here(const at::Tensor& logits, const at::Tensor& hidden) const {
  multiply(logits, hidden, *by_vocabulary_, {}, &product_here);
}

void HeadProducts::hidden_gradients_here(const at::Tensor& to, const at::Tensor& by_logits) const {
  multiply(to, by_logits, *by_units_, {}, &product_here);
}

void HeadProducts::add_head_gradients(
    const at::Tensor& total, const at::Tensor& by_logits, const at::Tensor& hidden, double scale, bool first) const {
  if (packed()) {
    ProductOptions options;
    options.scale = static_cast<float>(scale);
    options.add = !first;
    multiply(total, by_logits.t(), promptloss::packed(hidden, kernels_), options);
  } else {
    add_product(total, by_logits.t(), hidden, scale, first);
  }
}

}  // namespace promptloss
