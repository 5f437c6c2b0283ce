// promptloss::tile_product: a product by the kernels for AMX with the tiles in plain code, so that every processor with
// AVX-512 bf16 can test what only some run.
#include <torch/library.h>

#include "products.h"

namespace promptloss {
namespace {

at::Tensor tile_product(const at::Tensor& left, const at::Tensor& right) {
  const auto result = at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat));
  product(result, left, PackedFactor(right, emulated_tile_kernels()));
  return result;
}

bool has_tile_product() { return emulated_tile_kernels() != nullptr; }

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("tile_product(Tensor left, Tensor right) -> Tensor", promptloss::tile_product);
  library.def("has_tile_product() -> bool", promptloss::has_tile_product);
}
