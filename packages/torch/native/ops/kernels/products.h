// Matrix products with sums in float32. Operands are multiplied as bfloat16, by AVX-512 bf16, AMX or widened to float32, or
// as float32, by AVX-512 or AVX2. They may lie in either dtype, which is rounded or widened while it is packed, and either
// way round, so that no operand is cast or transposed beforehand and a product is added straight to float32 sums.
#pragma once

#include "blocks.h"
#include "matrix.h"
#include "products_kernels.h"

namespace promptloss {

/** Columns of a weight in blocks that are packed at a time: whole panels, and whole stretches of blocks. */
constexpr int64_t kBlockColumns = 96;

/** A right factor [depth, columns], of whose steps one is 1, in the order in which products read it. */
class PackedFactor {
 public:
  PackedFactor(const Matrix& right, const ProductKernels* kernels);
  /**
   * Columns `first` to `first + count` of a weight in blocks, or of its transpose where `turned`: expanded a panel at a
   * time, in the cache. `first` is a multiple of kBlockColumns.
   */
  PackedFactor(
      const BlockMatrix& right, bool turned, int64_t first, int64_t count, const ProductKernels* kernels);
  ~PackedFactor();
  PackedFactor(const PackedFactor&) = delete;
  PackedFactor& operator=(const PackedFactor&) = delete;

  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }

 private:
  friend struct ProductRun;
  const ProductKernels* kernels_;
  int32_t* words_;
  int64_t depth_, columns_;
};

struct ProductOptions {
  float scale = 1;
  /** Add to what is there; for float32 results. */
  bool add = false;
  /** Added to each row: [columns]; null for none. */
  const float* bias = nullptr;
};

/**
 * to [rows, columns] = scale · left [rows, depth] · right + bias, rounded once. One of left's steps is 1, and right has a
 * depth of at least 1.
 */
void product(const MatrixTarget& to, const Matrix& left, const PackedFactor& right, const ProductOptions& options);

/** The same on the calling thread alone, for callers that divide rows among threads themselves. */
void product_here(const MatrixTarget& to, const Matrix& left, const PackedFactor& right, const ProductOptions& options);

}  // namespace promptloss
