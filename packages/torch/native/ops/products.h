// Matrix products in bfloat16 with sums in float32, for processors that multiply pairs of bfloat16 in one instruction:
// AVX-512 bf16 and AMX. Operands may be float32, which is rounded while it is packed, and lie either way round, so that no
// operand is cast or transposed beforehand and a product is added straight to float32 sums.
#pragma once

#include <ATen/ATen.h>

#include "products_kernels.h"

namespace promptloss {

/** Whether this processor is one that these products are written for. */
bool has_products();

/** Whether these products take a tensor: 2-d on the CPU, float32 or bfloat16, one of its strides 1. */
bool is_factor(const at::Tensor& matrix);

/** A right factor [depth, columns] in the order in which products read it. */
class PackedFactor {
 public:
  explicit PackedFactor(const at::Tensor& right, const ProductKernels* kernels = product_kernels());

  int64_t depth() const { return depth_; }
  int64_t columns() const { return columns_; }

 private:
  friend struct ProductRun;
  const ProductKernels* kernels_;
  at::Tensor words_;
  int64_t depth_, columns_;
};

struct ProductOptions {
  double scale = 1;
  /** Add to what is there; for float32 results. */
  bool add = false;
  /** Added to each row: float32, [columns]. */
  at::Tensor bias = {};
};

/** to [rows, columns] = scale · left [rows, depth] · right + bias, rounded once; `to` is row by row, float32 or bfloat16. */
void product(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options = {});

/** The same on the calling thread alone, for callers that divide rows among threads themselves. */
void product_here(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options = {});

}  // namespace promptloss
