// Products of a few rows with a matrix that lies row by row, as in generation: the matrix is read once, as it lies, where
// packing it would cost more than the product. Sums are float32.
#pragma once

#include "blocks.h"
#include "lanes.h"
#include "matrix.h"

namespace promptloss {

/** Rows for which these products take less time than those with a packed matrix, or libtorch's: as measured. */
constexpr int64_t kMostFewRows = 64;

/** What a kernel reads. */
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

/** The faster of the two here. */
FewRowsKernel<BFloat16> few_rows_kernel();

/**
 * to = rows [count, depth] · weightᵀ + bias, in the dtype of the rows, which is the weight's too, rounded once. `rows`
 * and `to` are contiguous, and so is each row of weight [columns, depth]; bias is [columns], null for none.
 */
void few_rows_product(
    const MatrixTarget& to, const Matrix& rows, const Matrix& weight, const float* bias,
    FewRowsKernel<BFloat16> kernel = few_rows_kernel());

/** The same with a weight in blocks: a few of its rows are expanded at a time, in the cache. */
void few_rows_product(
    const MatrixTarget& to, const Matrix& rows, const BlockMatrix& weight, const float* bias,
    FewRowsKernel<BFloat16> kernel = few_rows_kernel());

}  // namespace promptloss
