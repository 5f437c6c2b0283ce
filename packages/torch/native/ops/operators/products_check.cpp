// Products by kernels that this processor would not choose, for tests. promptloss::tile_product: by the kernels for AMX
// with the tiles in plain code, where there is AVX-512 bf16. promptloss::float_product: in words of a float32, with operands
// that count as bfloat16 or float32; by AVX-512's tile put together where `emulated`. promptloss::lane_product: few rows by a weight [columns,
// depth] without instructions for pairs of bfloat16; lane_block_product: the same by a weight in blocks.
#include "matrices.h"

namespace promptloss::products_check {

at::Tensor tile_product(const at::Tensor& left, const at::Tensor& right) {
  const auto result = at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat));
  multiply(result, left, packed(right, emulated_tile_kernels()));
  return result;
}

at::Tensor float_product(const at::Tensor& left, const at::Tensor& right, bool halves, bool emulated) {
  const auto operands = halves ? Operands::halves : Operands::floats;
  const auto result = at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat));
  multiply(result, left, packed(right, emulated ? emulated_float_kernels(operands) : float_kernels(operands)));
  return result;
}

bool has_float_product() { return float_kernels(Operands::floats) != nullptr; }

at::Tensor lane_product(const at::Tensor& rows, const at::Tensor& weight) {
  TORCH_CHECK(
      rows.dim() == 2 && linear::serves_few_rows(rows, weight),
      "lane_product: rows and weight must be matrices of one dtype, few rows of them");
  return linear::few_rows(rows, weight, {}, lanes_kernel());
}

at::Tensor lane_block_product(const at::Tensor& rows, const at::Tensor& blocks, const std::string& name) {
  const auto* kind = plain_block_kind(name.c_str());
  TORCH_CHECK(
      kind != nullptr && rows.dim() == 2 && is_half(rows) && rows.is_contiguous() && rows.size(0) <= kMostFewRows &&
          blocks.dim() == 2 && blocks.is_contiguous() && kind->row_bytes(rows.size(1)) == blocks.size(1),
      "lane_block_product: rows must be a matrix of bfloat16, few rows of them, and blocks rows of as many columns");
  const auto result = at::empty({rows.size(0), blocks.size(0)}, rows.options());
  const BlockMatrix weight{blocks.data_ptr<uint8_t>(), kind, blocks.size(0), rows.size(1)};
  few_rows_product(target_of(result), matrix_of(rows), weight, nullptr, lanes_kernel());
  return result;
}

bool has_tile_product() { return emulated_tile_kernels() != nullptr; }

}  // namespace promptloss::products_check
