// Products by kernels that this processor would not choose, for tests. promptloss::tile_product: by the kernels for AMX
// with the tiles in plain code, where there is AVX-512 bf16. promptloss::lane_product: few rows by a weight [columns,
// depth] without instructions for pairs of bfloat16.
#include "matrices.h"

namespace promptloss::products_check {

at::Tensor tile_product(const at::Tensor& left, const at::Tensor& right) {
  const auto result = at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat));
  multiply(result, left, packed(right, emulated_tile_kernels()));
  return result;
}

at::Tensor lane_product(const at::Tensor& rows, const at::Tensor& weight) {
  TORCH_CHECK(
      rows.dim() == 2 && linear::serves_few_rows(rows, weight),
      "lane_product: rows and weight must be matrices of one dtype, few rows of them");
  return linear::few_rows(rows, weight, {}, lanes_kernel());
}

bool has_tile_product() { return emulated_tile_kernels() != nullptr; }

}  // namespace promptloss::products_check
