// Tensors as the matrices of ../kernels/products.h and ../kernels/few_rows.h.
#pragma once

#include "../kernels/few_rows.h"
#include "../kernels/products.h"
#include "operator.h"

namespace promptloss {

/** Whether products take a tensor: 2-d on the CPU, float32 or bfloat16, one of its strides 1. */
inline bool is_factor(const at::Tensor& matrix) {
  return matrix.dim() == 2 && matrix.is_cpu() && is_float_or_half(matrix.scalar_type()) &&
         (matrix.stride(0) == 1 || matrix.stride(1) == 1);
}

inline Matrix matrix_of(const at::Tensor& matrix) {
  return {matrix.data_ptr(), is_half(matrix), matrix.size(0), matrix.size(1), matrix.stride(0), matrix.stride(1)};
}

inline MatrixTarget target_of(const at::Tensor& matrix) {
  return {matrix.data_ptr(), is_half(matrix), matrix.size(0), matrix.size(1), matrix.stride(0)};
}

/** What numbers of a dtype, float32 or bfloat16, are multiplied as. */
inline Operands operands_of(at::ScalarType dtype) { return dtype == at::kBFloat16 ? Operands::halves : Operands::floats; }

/** Whether products with operands of a dtype are these, and not libtorch's. */
inline bool has_products(at::ScalarType dtype) {
  return is_float_or_half(dtype) && product_kernels(operands_of(dtype)) != nullptr;
}

/** What products read; the tensor may go. */
inline PackedFactor packed(const at::Tensor& right, const ProductKernels* kernels) {
  TORCH_CHECK(is_factor(right), "a factor must be a matrix of float32 or bfloat16 on the CPU with a stride of 1");
  TORCH_CHECK(kernels != nullptr, "these products are not written for this processor");
  return PackedFactor(matrix_of(right), kernels);
}

/** The same, to be multiplied with operands of a dtype. */
inline PackedFactor packed(const at::Tensor& right, at::ScalarType dtype) {
  return packed(right, product_kernels(operands_of(dtype)));
}

/** Where a product goes on: all threads, or the calling one alone. */
using Multiply = void (*)(const MatrixTarget&, const Matrix&, const PackedFactor&, const ProductOptions&);

/** to [rows, columns] = scale · left · right + bias; `to` is float32 or bfloat16, its rows contiguous. */
inline void multiply(
    const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options = {},
    Multiply how = &product) {
  TORCH_CHECK(is_factor(left) && left.size(1) == right.depth(), "product: left must be a factor of depth ", right.depth());
  TORCH_CHECK(
      to.dim() == 2 && to.size(0) == left.size(0) && to.size(1) == right.columns() && (to.size(1) == 1 || to.stride(1) == 1) &&
          is_float_or_half(to.scalar_type()),
      "product: the result must have shape [", left.size(0), ", ", right.columns(), "] and contiguous rows");
  TORCH_CHECK(!options.add || !is_half(to), "product: only float32 is added to");
  if (right.depth() > 0) return how(target_of(to), matrix_of(left), right, options);
  // Nothing to sum.
  auto result = to;
  if (!options.add) result.zero_();
  if (options.bias != nullptr) result.add_(at::from_blob(const_cast<float*>(options.bias), {to.size(1)}, at::kFloat));
}

}  // namespace promptloss
