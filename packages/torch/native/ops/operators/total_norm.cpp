// promptloss::total_norm: the L2 norm over all elements of some tensors, summed in float64 whatever their dtype.
#include "../kernels/sum_of_squares.h"

#include <cmath>

#include "operator.h"

namespace promptloss::total_norm {

/** Elements that ATen's operators widen at a time. */
constexpr int64_t kChunk = int64_t{1} << 22;

bool has_kernel(const at::Tensor& tensor) {
  return tensor.layout() == at::kStrided && tensor.is_cpu() && tensor.is_non_overlapping_and_dense() &&
         is_float_or_half(tensor.scalar_type());
}

double by_kernel(const at::Tensor& tensor) {
  return is_half(tensor) ? sum_of_squares(memory_of<const BFloat16>(tensor), tensor.numel())
                         : sum_of_squares(memory_of<const float>(tensor), tensor.numel());
}

/** The same by ATen's operators, for every device and dtype. */
double by_operators(const at::Tensor& tensor) {
  const auto dense = tensor.layout() == at::kStrided ? tensor : tensor.is_sparse() ? tensor.coalesce().values() : tensor.to_dense();
  const auto elements = (dense.is_complex() ? at::view_as_real(dense.resolve_conj()) : dense).reshape({-1});
  double total = 0;
  for (int64_t begin = 0; begin < elements.size(0); begin += kChunk) {
    auto chunk = elements.narrow(0, begin, std::min(kChunk, elements.size(0) - begin));
    // Metal has no float64.
    if (chunk.device().type() == at::kMPS) chunk = chunk.cpu();
    total += chunk.to(at::kDouble).square().sum().item<double>();
  }
  return total;
}

double plain(at::TensorList tensors) {
  const at::NoGradGuard guard;
  double total = 0;
  for (const auto& tensor : tensors) {
    TORCH_CHECK(
        at::isFloatingType(tensor.scalar_type()) || at::isComplexType(tensor.scalar_type()),
        "total_norm: tensors must be floating point or complex, got ", tensor.scalar_type());
    total += has_kernel(tensor) ? by_kernel(tensor) : by_operators(tensor);
  }
  return std::sqrt(total);
}

}  // namespace promptloss::total_norm
