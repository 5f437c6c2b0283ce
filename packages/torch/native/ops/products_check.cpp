// Products by kernels that this processor would not choose, for tests. promptloss::tile_product: by the kernels for AMX
// with the tiles in plain code, where there is AVX-512 bf16. promptloss::lane_product: few rows by a weight [columns,
// depth] without instructions for pairs of bfloat16.
#include <torch/library.h>

#include "few_rows.h"
#include "products.h"

namespace promptloss {
namespace {

at::Tensor tile_product(const at::Tensor& left, const at::Tensor& right) {
  const auto result = at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat));
  product(result, left, PackedFactor(right, emulated_tile_kernels()));
  return result;
}

at::Tensor lane_product(const at::Tensor& rows, const at::Tensor& weight) {
  TORCH_CHECK(serves_few_rows(rows, weight), "lane_product: rows and weight must be matrices of one dtype, few rows of them");
  return few_rows_product(rows, weight, {}, lanes_kernel());
}

bool has_tile_product() { return emulated_tile_kernels() != nullptr; }

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("tile_product(Tensor left, Tensor right) -> Tensor", promptloss::tile_product);
  library.def("lane_product(Tensor rows, Tensor weight) -> Tensor", promptloss::lane_product);
  library.def("has_tile_product() -> bool", promptloss::has_tile_product);
}
