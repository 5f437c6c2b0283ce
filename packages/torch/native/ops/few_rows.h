// Products of a few rows with a matrix that lies row by row, as in generation: the matrix is read once, as it lies, where
// packing it would cost more than the product. Sums are float32.
#pragma once

#include <ATen/ATen.h>

#include "lanes.h"

namespace promptloss {

/** What a kernel reads, as bare pointers. */
template <typename T>
struct FewRows {
  /** [count, depth], contiguous. */
  const T* rows;
  int64_t count;
  int64_t depth;
  /** Rows of the weight lie `step` elements apart. */
  const T* weight;
  int64_t step;
};

/** Of the weight's rows `first` to `last`: sums [count, last - first]. */
template <typename T>
using FewRowsKernel = void (*)(const FewRows<T>& of, int64_t first, int64_t last, float* sums);

/** For processors that multiply pairs of bfloat16; null on others. */
FewRowsKernel<BFloat16> pairs_kernel();

/** For every processor. */
FewRowsKernel<BFloat16> lanes_kernel();

/** Whether this serves `rows` [count, depth] and `weight` [columns, depth]: few, of one dtype, float32 or bfloat16, on the CPU. */
bool serves_few_rows(const at::Tensor& rows, const at::Tensor& weight);

/** rows · weightᵀ + bias, in the dtype of the rows, rounded once; bias is float32, undefined for none. */
at::Tensor few_rows_product(
    const at::Tensor& rows, const at::Tensor& weight, const at::Tensor& bias = {},
    FewRowsKernel<BFloat16> kernel = pairs_kernel() != nullptr ? pairs_kernel() : lanes_kernel());

}  // namespace promptloss
