// promptloss::block_linear: input · weightᵀ + bias with a frozen weight in few bits (kernels/blocks.h), which is expanded
// in the cache while products pack it, and never in memory. Gradients are those of the input alone. Where kernels do not
// serve, one weight at a time is expanded and libtorch multiplies, which is the plain twin as well; NF4 and Q8_0, whose
// expansion is written in libtorch's operators too, are so on any device.
//
// Gains: the weights of a model in 2 to 8 bits, for training an adapter and for generation. Measured by bench/src/few-bits.
#include <string>

#include "../kernels/blocks.h"
#include "fused.h"
#include "matrices.h"

namespace promptloss::block_linear {

using Bias = Optional<at::Tensor>;
using Name = const std::string&;

const BlockKind& kind_of(const char* op, const std::string& name) {
  const auto* kind = block_kind(name.c_str());
  TORCH_CHECK(kind != nullptr, op, ": there is no kind of blocks named ", name);
  return *kind;
}

/** A weight in blocks, checked. */
struct Weight {
  Weight(const char* op, const at::Tensor& given, const std::string& name, int64_t columns)
      : blocks(given), kind(kind_of(op, name)), columns(columns) {
    TORCH_CHECK(
        blocks.dim() == 2 && blocks.scalar_type() == at::kByte, op, ": blocks must be uint8 of shape [outputs, bytes], got ",
        blocks.scalar_type(), " ", blocks.sizes());
    TORCH_CHECK(
        kind.row_bytes(columns) == blocks.size(1), op, ": rows of ", columns, " columns of ", name, " take ",
        kind.row_bytes(columns), " bytes, got ", blocks.size(1),
        kind.row_bytes(columns) < 0 ? "\nhint: columns come in whole blocks" : "");
    if (!blocks.is_contiguous()) blocks = blocks.contiguous();
  }

  int64_t rows() const { return blocks.size(0); }
  BlockMatrix matrix() const { return {blocks.data_ptr<uint8_t>(), &kind, rows(), columns}; }

  at::Tensor blocks;
  const BlockKind& kind;
  int64_t columns;
};

at::Tensor table_of(const float* values, int64_t count, const at::Tensor& like) {
  return at::tensor(at::ArrayRef<float>(values, static_cast<size_t>(count)), at::kFloat).to(like.device());
}

/** Bytes of each row, seen as numbers: [rows, bytes / size]. A copy, since they need not be aligned. */
at::Tensor seen_as(const at::Tensor& blocks, int64_t first, int64_t bytes, at::ScalarType dtype) {
  return blocks.narrow(1, first, bytes).clone(at::MemoryFormat::Contiguous).view(dtype);
}

/** NF4 by libtorch's operators, on any device. */
at::Tensor normal_floats(const Weight& weight) {
  const auto& blocks = weight.blocks;
  const int64_t rows = weight.rows(), columns = weight.columns, count = columns / kNormalBlock;
  const int64_t groups = (count + kScaleGroup - 1) / kScaleGroup, codes = columns / 2;
  const auto pairs = blocks.narrow(1, 0, codes).to(at::kInt);
  const auto places = at::stack({pairs.floor_divide(16), pairs.remainder(16)}, -1).view({-1});
  const auto values = table_of(kNormalFloat, kNormalFloats, blocks).index_select(0, places.to(at::kLong));
  const auto scale_codes = blocks.narrow(1, codes, count).reshape({-1}).to(at::kLong);
  const auto scales = table_of(dynamic_map(), 256, blocks).index_select(0, scale_codes).view({rows, count});
  const auto widest = seen_as(blocks, codes + count, 4 * groups, at::kFloat).repeat_interleave(kScaleGroup, 1).narrow(1, 0, count);
  const auto offset = seen_as(blocks, codes + count + 4 * groups, 4, at::kFloat);
  const auto most = (scales.to(at::kDouble) * widest.to(at::kDouble) + offset.to(at::kDouble)).to(at::kFloat);
  return (values.view({rows, count, kNormalBlock}) * most.unsqueeze(2)).view({rows, columns});
}

/** Q8_0 by libtorch's operators. */
at::Tensor bytes_times_scales(const Weight& weight) {
  const auto each = weight.blocks.view({-1, weight.kind.bytes});
  const auto scales = seen_as(each, 0, 2, at::kHalf).to(at::kFloat);
  return (seen_as(each, 2, weight.kind.elements, at::kChar).to(at::kFloat) * scales).view({weight.rows(), weight.columns});
}

/** All of a weight, in a dtype. */
at::Tensor expanded(const Weight& weight, at::ScalarType dtype) {
  const bool plain = weight.kind.bytes == 0 || std::string(weight.kind.name) == "Q8_0";
  if (plain && !(weight.blocks.is_cpu() && fused_kernels(Fused::kBlocks)))
    return (weight.kind.bytes == 0 ? normal_floats(weight) : bytes_times_scales(weight)).to(dtype);
  TORCH_CHECK(
      weight.blocks.is_cpu(), "blocks of ", weight.kind.name, " are expanded on the CPU alone, got ", weight.blocks.device(),
      "\nhint: NF4 and Q8_0 are served on every device");
  const auto own = is_float_or_half(dtype) ? dtype : at::kFloat;
  const auto result = at::empty({weight.rows(), weight.columns}, weight.blocks.options().dtype(own));
  if (own == at::kFloat)
    expand(weight.matrix(), result.data_ptr<float>());
  else
    expand(weight.matrix(), static_cast<BFloat16*>(result.data_ptr()));
  return result.to(dtype);
}

at::Tensor expand_blocks(const at::Tensor& blocks, Name kind, int64_t columns, at::ScalarType dtype) {
  TORCH_CHECK(at::isFloatingType(dtype), "expand_blocks: dtype must be one of floats, got ", dtype);
  return expanded(Weight("expand_blocks", blocks, kind, columns), dtype);
}

at::Tensor quantize_blocks(const at::Tensor& weight, Name name) {
  const char* op = "quantize_blocks";
  const auto& kind = kind_of(op, name);
  TORCH_CHECK(can_quantize(kind), op, ": NF4 and Q8_0 are written, not ", kind.name);
  TORCH_CHECK(
      weight.dim() == 2 && at::isFloatingType(weight.scalar_type()), op, ": weight must be a matrix of floats, got ",
      weight.scalar_type(), " ", weight.sizes());
  const int64_t bytes = kind.row_bytes(weight.size(1));
  TORCH_CHECK(bytes > 0, op, ": ", kind.name, " has blocks of ", kind.elements, " columns, got ", weight.size(1));
  const auto floats = weight.detach().to(at::kCPU, at::kFloat).contiguous();
  const auto result = at::empty({weight.size(0), bytes}, floats.options().dtype(at::kByte));
  quantize(floats.data_ptr<float>(), kind, weight.size(0), weight.size(1), result.data_ptr<uint8_t>());
  return result.to(weight.device());
}

/** Elements of a weight that are packed at a time: with the rows that meet them they lie in a processor's last cache. */
constexpr int64_t kSlab = int64_t{1} << 22;

/** to [rows, columns of the weight, or its rows where `turned`] = left · weight (turned) + bias, a slab of columns at a time. */
void multiply_blocks(const at::Tensor& to, const at::Tensor& left, const BlockMatrix& weight, bool turned, const float* bias) {
  const int64_t depth = turned ? weight.columns : weight.rows, columns = turned ? weight.rows : weight.columns;
  const int64_t slab = std::max<int64_t>(5, kSlab / depth / kBlockColumns) * kBlockColumns;
  for (int64_t first = 0; first < columns; first += slab) {
    const int64_t count = std::min(slab, columns - first);
    ProductOptions options;
    options.bias = bias == nullptr ? nullptr : bias + first;
    multiply(to.narrow(1, first, count), left, PackedFactor(weight, turned, first, count, product_kernels(Operands::halves)), options);
  }
}

bool serves_products(const at::Tensor& input, const Weight& weight) {
  return fused_kernels(Fused::kBlocks) && has_products(at::kBFloat16) && input.is_cpu() && weight.blocks.is_cpu() && input.numel() > 0 && weight.rows() > 0;
}

at::Tensor forward(const at::Tensor& input, const Weight& weight, const Bias& bias, at::ScalarType dtype) {
  if (dtype == at::kBFloat16 && is_float_or_half(input.scalar_type()) && serves_products(input, weight)) {
    auto shape = input.sizes().vec();
    shape.back() = weight.rows();
    const auto output = at::empty(shape, input.options().dtype(dtype));
    const auto added = linear::floats_of(bias);
    multiply_blocks(
        output.view({-1, weight.rows()}), linear::rows_of(input), weight.matrix(), true, memory_of<const float>(added));
    return output;
  }
  const auto added = bias.has_value() ? Bias(bias->to(dtype)) : Bias();
  return at::linear(input.to(dtype), expanded(weight, dtype), added);
}

/** grad · weight, in the input's dtype and shape. */
at::Tensor input_gradient(const at::Tensor& grad, const at::Tensor& like, const Weight& weight) {
  if (grad.scalar_type() == at::kBFloat16 && !at::GradMode::is_enabled() && is_float_or_half(like.scalar_type()) &&
      serves_products(grad, weight)) {
    const auto result = at::empty(like.sizes(), like.options());
    multiply_blocks(result.view({-1, like.size(-1)}), grad, weight.matrix(), false, nullptr);
    return result;
  }
  return grad.mm(expanded(weight, grad.scalar_type())).to(like.scalar_type()).reshape(like.sizes());
}

struct BlockLinear : torch::autograd::Function<BlockLinear> {
  static at::Tensor forward(
      AutogradContext* ctx, const at::Tensor& input, const at::Tensor& blocks, const std::string& kind, const Bias& bias,
      at::ScalarType dtype) {
    at::AutoDispatchBelowADInplaceOrView guard;
    // Of the input only what it looks like is kept.
    ctx->save_for_backward({blocks});
    ctx->saved_data["kind"] = kind;
    ctx->saved_data["shape"] = input.sizes();
    ctx->saved_data["dtype"] = input.scalar_type();
    return block_linear::forward(input, Weight("block_linear", blocks, kind, input.size(-1)), bias, dtype);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto blocks = ctx->get_saved_variables()[0];
    const auto shape = ctx->saved_data["shape"].toIntVector();
    const auto grad = linear::rows_of(gradients[0]);
    const auto like = at::empty({1}, grad.options().dtype(ctx->saved_data["dtype"].toScalarType())).expand(shape);
    const Weight weight("block_linear", blocks, ctx->saved_data["kind"].toStringRef(), shape.back());
    return {input_gradient(grad, like, weight), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

/** Few rows, of which no gradient is asked, by the blocks as they are; undefined where they are not such. */
at::Tensor few(const at::Tensor& input, const Weight& weight, const Bias& bias, at::ScalarType dtype) {
  if (!fused_kernels(Fused::kBlocks) || !input.is_cpu() || !weight.blocks.is_cpu() || !is_float_or_half(dtype) || input.numel() == 0) return {};
  const auto rows = input.reshape({-1, input.size(-1)}).to(dtype).contiguous();
  if (rows.size(0) > kMostFewRows || weight.rows() == 0) return {};
  auto shape = input.sizes().vec();
  shape.back() = weight.rows();
  const auto result = at::empty({rows.size(0), weight.rows()}, rows.options());
  const auto added = linear::floats_of(bias);
  few_rows_product(target_of(result), matrix_of(rows), weight.matrix(), memory_of<const float>(added));
  return result.view(shape);
}

at::Tensor run(const at::Tensor& input, const at::Tensor& blocks, Name kind, const Bias& bias, at::ScalarType dtype) {
  const char* op = "block_linear";
  TORCH_CHECK(input.dim() > 0 && at::isFloatingType(input.scalar_type()), op, ": input must be floats of shape [..., inputs]");
  const Weight weight(op, blocks, kind, input.size(-1));
  TORCH_CHECK(
      !bias.has_value() || (bias->dim() == 1 && bias->size(0) == weight.rows()), op, ": bias must have shape [", weight.rows(), "]");
  TORCH_CHECK(
      !bias.has_value() || !bias->requires_grad() || !at::GradMode::is_enabled(), op, ": the weight is frozen, and so is its bias");
  const WithoutAutocast guard;
  if (wants_gradient({input})) return BlockLinear::apply(input, weight.blocks, kind, bias, dtype);
  at::AutoDispatchBelowADInplaceOrView below;
  if (const auto result = few(input, weight, bias, dtype); result.defined()) return result;
  return forward(input, weight, bias, dtype);
}

at::Tensor in_its_dtype(const at::Tensor& input, const at::Tensor& blocks, Name kind, const Bias& bias) {
  return run(input, blocks, kind, bias, input.scalar_type());
}

at::Tensor autocast(const at::Tensor& input, const at::Tensor& blocks, Name kind, const Bias& bias) {
  return run(input, blocks, kind, bias, input.scalar_type() == at::kDouble ? at::kDouble : autocast_dtype(input));
}

}  // namespace promptloss::block_linear
