#include "products.h"

#include <algorithm>
#include <vector>

#include "share.h"

namespace promptloss {
namespace {

/** Rows packed at a time: with the depth below, they fill part of a core's second cache. */
constexpr int64_t kRows = 128;
/** Depth of a block: forty-eight columns of it, and eight rows, lie in the first cache or stream from the second. */
constexpr int64_t kDepth = 384;
/** Depth for which rows are packed at a time. */
constexpr int64_t kSpan = 2048;
/** Panels of columns whose sums are kept while the blocks of a span are added to them. */
constexpr int64_t kPanels = 10;
/** Pieces of a product a thread, so that none waits long for another's last. */
constexpr int64_t kTasks = 4;
/** Panels for which it is worth while to pack rows again. */
constexpr int64_t kLeastPanels = 3;

int64_t divided(int64_t n, int64_t by) { return (n + by - 1) / by; }

/** Depth cut into blocks of equal size, a multiple of 32, and the words that they take. */
struct Depth {
  Depth(int64_t whole, const ProductKernels& kernels)
      : whole(whole),
        block(std::max<int64_t>(1, divided(divided(whole, std::max<int64_t>(1, divided(whole, kDepth))), 32)) * 32),
        kernels(kernels) {}

  int64_t blocks() const { return divided(whole, block); }
  int64_t begin(int64_t index) const { return index * block; }
  int64_t end(int64_t index) const { return std::min(whole, (index + 1) * block); }
  int64_t pairs(int64_t index) const { return kernels.pairs(end(index) - begin(index)); }
  /** Words of one row or column before a block. */
  int64_t pairs_before(int64_t index) const { return begin(index) / 2; }
  int64_t all_pairs() const { return blocks() == 0 ? 0 : pairs_before(blocks() - 1) + pairs(blocks() - 1); }

  int64_t whole, block;
  const ProductKernels& kernels;
};

template <typename T>
Source<T> source_of(const at::Tensor& matrix, int64_t along, int64_t depth) {
  const auto step = [&](int64_t dim) {
    return matrix.size(dim) == 1 && matrix.stride(1 - dim) != 1 ? 1 : matrix.stride(dim);
  };
  return {static_cast<const T*>(matrix.data_ptr()), step(along), step(depth)};
}

}  // namespace

bool has_products() { return product_kernels() != nullptr; }

bool is_factor(const at::Tensor& matrix) {
  return matrix.dim() == 2 && matrix.is_cpu() &&
         (matrix.scalar_type() == at::kFloat || matrix.scalar_type() == at::kBFloat16) &&
         (matrix.stride(0) == 1 || matrix.stride(1) == 1);
}

PackedFactor::PackedFactor(const at::Tensor& right, const ProductKernels* kernels)
    : kernels_(kernels), depth_(right.size(0)), columns_(right.size(1)) {
  TORCH_CHECK(is_factor(right), "a factor must be a matrix of float32 or bfloat16 on the CPU with a stride of 1");
  TORCH_CHECK(kernels != nullptr, "these products are not written for this processor");
  const Depth depth(depth_, *kernels);
  const int64_t panels = divided(columns_, kPanelColumns);
  words_ = at::empty({panels * depth.all_pairs() * kPanelColumns}, right.options().dtype(at::kInt));
  auto* to = words_.data_ptr<int32_t>();
  share(panels, [&](int64_t panel) {
    for (int64_t b = 0; b < depth.blocks(); ++b) {
      const int64_t column = panel * kPanelColumns;
      const Extent which{column, std::min(kPanelColumns, columns_ - column), depth.begin(b), depth.end(b)};
      auto* own = to + (depth.pairs_before(b) * panels + panel * depth.pairs(b)) * kPanelColumns;
      if (right.scalar_type() == at::kFloat)
        kernels->pack_float_columns(source_of<float>(right, 1, 0), which, own);
      else
        kernels->pack_bits_columns(source_of<Bits>(right, 1, 0), which, own);
    }
  });
}

/** One product: what it reads and writes, as bare pointers. */
struct ProductRun {
  ProductRun(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options)
      : left(left),
        bias(options.bias),
        kernels(*right.kernels_),
        words(right.words_.data_ptr<int32_t>()),
        depth(right.depth_, kernels),
        rows(left.size(0)),
        columns(right.columns_),
        panels(divided(columns, kPanelColumns)),
        target{
            to.data_ptr(), to.stride(0), to.scalar_type() == at::kFloat, rows, columns,
            static_cast<float>(options.scale), bias.defined() ? bias.data_ptr<float>() : nullptr, options.add} {
    TORCH_CHECK(is_factor(left) && left.size(1) == right.depth_, "product: left must be a factor of depth ", right.depth_);
    TORCH_CHECK(
        to.dim() == 2 && to.size(0) == rows && to.size(1) == columns && (columns == 1 || to.stride(1) == 1),
        "product: the result must have shape [", rows, ", ", columns, "] and contiguous rows");
    TORCH_CHECK(target.is_float || !options.add, "product: only float32 is added to");
    TORCH_CHECK(
        !bias.defined() || (bias.scalar_type() == at::kFloat && bias.is_contiguous() && bias.numel() == columns),
        "product: the bias must be float32 of shape [", columns, "]");
  }

  /** Rows `first` to `last` by panels `from` to `until`. */
  void run(int64_t first, int64_t last, int64_t from, int64_t until) const {
    thread_local std::vector<int32_t> packed;
    thread_local std::vector<float> sums;
    const int64_t span = std::max<int64_t>(1, kSpan / depth.block), spans = divided(depth.blocks(), span);
    const bool direct = target.is_float || depth.blocks() == 1;
    packed.resize(static_cast<size_t>(std::min(span, depth.blocks()) * depth.block / 2 * kRows));
    const int64_t group = spans > 1 ? until - from : std::min(kPanels, until - from);
    const int64_t width = group * kPanelColumns;
    if (!direct) sums.resize(static_cast<size_t>(kRows * width));
    kernels.open();
    for (int64_t row = first; row < last; row += kRows) {
      const int64_t count = std::min(kRows, last - row);
      for (int64_t s = 0; s < spans; ++s) {
        const int64_t begin = s * span, end = std::min(depth.blocks(), begin + span);
        pack(row, count, begin, end, packed.data());
        for (int64_t p = from; p < until; p += group) {
          const int64_t stop = std::min(until, p + group);
          auto place = target.from(row, p * kPanelColumns);
          place.rows = count;
          if (direct) {
            multiply(packed.data(), count, begin, end, p, stop, place);
            continue;
          }
          multiply(packed.data(), count, begin, end, p, stop, {sums.data(), width, true, count, width, 1, nullptr, false});
          if (s + 1 < spans) continue;
          place.columns = std::min(columns, stop * kPanelColumns) - p * kPanelColumns;
          kernels.write(sums.data(), width, place);
        }
      }
    }
    kernels.close();
  }

  at::Tensor left, bias;
  const ProductKernels& kernels;
  const int32_t* words;
  Depth depth;
  int64_t rows, columns, panels;
  TileTarget target;

 private:
  /** Rows for the blocks `begin` to `end`, strip after strip of each. */
  void pack(int64_t row, int64_t count, int64_t begin, int64_t end, int32_t* to) const {
    for (int64_t b = begin; b < end; ++b)
      for (int64_t i = 0; i < count; i += kStrip, to += kStrip * depth.pairs(b)) {
        const Extent which{row + i, std::min(kStrip, count - i), depth.begin(b), depth.end(b)};
        if (left.scalar_type() == at::kFloat)
          kernels.pack_float_rows(source_of<float>(left, 0, 1), which, to);
        else
          kernels.pack_bits_rows(source_of<Bits>(left, 0, 1), which, to);
      }
  }

  /** Panels `from` to `until` of the blocks `begin` to `end`, into a target that begins with panel `from`. */
  void multiply(
      const int32_t* packed, int64_t count, int64_t begin, int64_t end, int64_t from, int64_t until, const TileTarget& to) const {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t pairs = depth.pairs(b);
      const int32_t* block = words + depth.pairs_before(b) * panels * kPanelColumns;
      for (int64_t p = from; p < until; ++p) {
        auto own = to.from(0, (p - from) * kPanelColumns);
        if (b > 0) own.bias = nullptr;
        own.columns = std::min(kPanelColumns, columns - p * kPanelColumns);
        own.add = to.add || b > 0;
        kernels.multiply(packed, block + p * pairs * kPanelColumns, pairs, own);
      }
      packed += divided(count, kStrip) * kStrip * pairs;
    }
  }
};

namespace {

/** A product without depth: nothing to sum. */
void write_bias(const at::Tensor& to, const ProductOptions& options) {
  auto result = to;
  if (options.bias.defined())
    result.copy_(options.add ? result.add(options.bias) : options.bias.expand(result.sizes()));
  else if (!options.add)
    result.zero_();
}

}  // namespace

void product_here(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options) {
  if (right.depth() == 0) return write_bias(to, options);
  const ProductRun work(to, left, right, options);
  work.run(0, work.rows, 0, work.panels);
}

void product(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options) {
  if (right.depth() == 0) return write_bias(to, options);
  const ProductRun work(to, left, right, options);
  const int64_t threads = at::get_num_threads(), wanted = threads == 1 ? 1 : kTasks * threads;
  const int64_t blocks = divided(work.rows, kRows);
  // Few rows are shared out by columns as well, each part packing its rows again.
  const int64_t parts = std::max<int64_t>(1, std::min(work.panels / kLeastPanels, divided(wanted, std::max<int64_t>(1, blocks))));
  const auto row = [&](int64_t block) { return work.rows * block / blocks; };
  share(blocks * parts, [&](int64_t task) {
    const int64_t block = task / parts, part = task % parts;
    work.run(row(block), row(block + 1), work.panels * part / parts, work.panels * (part + 1) / parts);
  });
}

}  // namespace promptloss
