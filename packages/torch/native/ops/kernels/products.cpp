// Products of matrices in bfloat16 or float32: to = scale · left · right + bias, sums in float32.
//
// Gains: weights are never cast beforehand, gradients of weights are summed and written in float32, and a new number of
// rows costs nothing, where oneDNN compiles a kernel for each shape. Measured by bench/src/large (62 to 71 % of what the
// processor's units can do) and bench/src/torch.
//
// Laid out so that each number is fetched where it is near: the right factor is packed once, in panels of forty-eight
// columns by blocks of depth; 128 rows at a time are packed for a span of depth, which lies in a core's second cache; and a
// panel's sums stay in registers (products_tile.h, products_floats.cpp) or in tiles (products_amx.h). Pieces are shared among threads, several
// a thread, so that none waits long for another's last.
//
// Plain twin: EmulatedTiles in products_amx.h for the tiles, and libtorch's product in float64 for all
// (linear.test.ts holds them together).
#include "products.h"

#include <algorithm>
#include <new>

#include "share.h"
#include "workspace.h"

namespace promptloss {
namespace {

/** Rows packed at a time, at most: with the depth below, they fill part of a core's second cache. */
constexpr int64_t kRows = 128;
/** Words of depth for which rows are packed at a time. */
constexpr int64_t kSpanWords = 1024;
/** Panels of columns whose sums are kept while the blocks of a span are added to them. */
constexpr int64_t kPanels = 10;
/** Panels whose sums are kept while one span after another is added to them: packing rows anew for each is no burden. */
constexpr int64_t kWaitingPanels = 128;
/** Pieces of a product a thread, so that none waits long for another's last. */
constexpr int64_t kTasks = 4;
/** Panels for which it is worth while to pack rows again. */
constexpr int64_t kLeastPanels = 3;

int64_t divided(int64_t n, int64_t by) { return (n + by - 1) / by; }

/** Depth cut into blocks of equal size, a multiple of 32, and the words that they take. */
struct Depth {
  Depth(int64_t whole, const ProductKernels& kernels)
      : whole(whole),
        block(std::max<int64_t>(1, divided(divided(whole, std::max<int64_t>(1, divided(whole, kernels.block_words * kernels.depths))), 32)) * 32),
        kernels(kernels) {}

  int64_t blocks() const { return divided(whole, block); }
  int64_t begin(int64_t index) const { return index * block; }
  int64_t end(int64_t index) const { return std::min(whole, (index + 1) * block); }
  int64_t words(int64_t index) const { return kernels.words(end(index) - begin(index)); }
  /** Words of one row or column before a block. */
  int64_t words_before(int64_t index) const { return begin(index) / kernels.depths; }
  int64_t all_words() const { return blocks() == 0 ? 0 : words_before(blocks() - 1) + words(blocks() - 1); }

  int64_t whole, block;
  const ProductKernels& kernels;
};

template <typename T>
Source<T> source_of(const Matrix& matrix, int64_t along, int64_t depth) {
  const int64_t sizes[] = {matrix.rows, matrix.columns}, steps[] = {matrix.row_step, matrix.column_step};
  // The step of a dimension of one is never taken, whatever it says.
  const auto step = [&](int64_t dim) { return sizes[dim] == 1 && steps[1 - dim] != 1 ? 1 : steps[dim]; };
  return {static_cast<const T*>(matrix.data), step(along), step(depth)};
}

/** Vectors of words are read whole. */
constexpr std::align_val_t kAlignment{64};

}  // namespace

const ProductKernels* product_kernels(Operands operands) {
  static const bool own_floats = prefers_own_floats();
  if (operands == Operands::floats && !own_floats) return nullptr;
  const ProductKernels* pairs = operands == Operands::halves ? pair_kernels() : nullptr;
  return pairs != nullptr ? pairs : float_kernels(operands);
}

PackedFactor::PackedFactor(const Matrix& right, const ProductKernels* kernels)
    : kernels_(kernels), depth_(right.rows), columns_(right.columns) {
  const Depth depth(depth_, *kernels);
  const int64_t panels = divided(columns_, kPanelColumns);
  const int64_t words = panels * depth.all_words() * kPanelColumns;
  words_ = static_cast<int32_t*>(::operator new[](static_cast<size_t>(words) * sizeof(int32_t), kAlignment));
  auto* to = words_;
  share(panels, [&](int64_t panel) {
    for (int64_t b = 0; b < depth.blocks(); ++b) {
      const int64_t column = panel * kPanelColumns;
      const Extent which{column, std::min(kPanelColumns, columns_ - column), depth.begin(b), depth.end(b)};
      auto* own = to + (depth.words_before(b) * panels + panel * depth.words(b)) * kPanelColumns;
      if (!right.halves)
        kernels->pack_float_columns(source_of<float>(right, 1, 0), which, own);
      else
        kernels->pack_bits_columns(source_of<Bits>(right, 1, 0), which, own);
    }
  });
}

namespace {

/** A block of depth of up to two panels of a weight in blocks, expanded: as packing reads it. */
Source<Bits> expanded(const BlockMatrix& from, bool turned, int64_t first, int64_t count, int64_t begin, int64_t end, Bits* to) {
  auto* halves = reinterpret_cast<BFloat16*>(to);
  if (turned) {
    const int64_t depth = end - begin;
    for (int64_t c = 0; c < count; ++c)
      from.kind->halves(from.row(first + c), from.columns, begin / kStretch, depth / kStretch, halves + c * depth);
    return {to, depth, 1};
  }
  const int64_t stretches = divided(count, kStretch);
  for (int64_t k = begin; k < end; ++k)
    from.kind->halves(from.row(k), from.columns, first / kStretch, stretches, halves + (k - begin) * kBlockColumns);
  return {to, 1, kBlockColumns};
}

}  // namespace

PackedFactor::PackedFactor(
    const BlockMatrix& right, bool turned, int64_t first, int64_t count, const ProductKernels* kernels)
    : kernels_(kernels), depth_(turned ? right.columns : right.rows), columns_(count) {
  const Depth depth(depth_, *kernels);
  const int64_t panels = divided(columns_, kPanelColumns);
  const int64_t words = panels * depth.all_words() * kPanelColumns;
  words_ = static_cast<int32_t*>(::operator new[](static_cast<size_t>(words) * sizeof(int32_t), kAlignment));
  auto* to = words_;
  share(divided(columns_, kBlockColumns), [&](int64_t task) {
    thread_local Buffer<Bits> buffer;
    const int64_t column = task * kBlockColumns, width = std::min(kBlockColumns, columns_ - column);
    for (int64_t b = 0; b < depth.blocks(); ++b) {
      const int64_t begin = depth.begin(b), end = depth.end(b);
      auto* memory = buffer.fit(static_cast<size_t>(kBlockColumns * (end - begin)));
      const auto source = expanded(right, turned, first + column, width, begin, end, memory);
      for (int64_t c = 0; c < width; c += kPanelColumns) {
        const int64_t panel = (column + c) / kPanelColumns;
        auto* own = to + (depth.words_before(b) * panels + panel * depth.words(b)) * kPanelColumns;
        kernels->pack_bits_columns(source, {c, std::min(kPanelColumns, width - c), 0, end - begin}, own);
      }
    }
  });
}

PackedFactor::~PackedFactor() { ::operator delete[](words_, kAlignment); }

/** One product: what it reads and writes. */
struct ProductRun {
  ProductRun(const MatrixTarget& to, const Matrix& left, const PackedFactor& right, const ProductOptions& options)
      : left(left),
        kernels(*right.kernels_),
        words(right.words_),
        depth(right.depth_, kernels),
        rows(left.rows),
        columns(right.columns_),
        panels(divided(columns, kPanelColumns)),
        target{to.data, to.row_step, !to.halves, rows, columns, options.scale, options.bias, options.add} {}

  /** Rows `first` to `last` by panels `from` to `until`. */
  void run(int64_t first, int64_t last, int64_t from, int64_t until) const {
    thread_local Buffer<int32_t> packed_rows;
    thread_local Buffer<float> group_sums;
    const Trimmed<Buffer<int32_t>> trimmed_rows(packed_rows);
    const Trimmed<Buffer<float>> trimmed_sums(group_sums);
    const int64_t span = std::max<int64_t>(1, kSpanWords * kernels.depths / depth.block), spans = divided(depth.blocks(), span);
    const bool direct = target.is_float || depth.blocks() == 1;
    const int64_t span_words = divided(std::min(span, depth.blocks()) * depth.block, kernels.depths);
    int32_t* packed = packed_rows.fit(static_cast<size_t>(span_words * divided(kRows, kernels.strip) * kernels.strip));
    // Sums of many panels wait for the next span, and few are enough for one: they stay in the second cache.
    const int64_t group = std::min(spans > 1 ? kWaitingPanels : kPanels, until - from);
    const int64_t width = group * kPanelColumns;
    float* sums = direct ? nullptr : group_sums.fit(static_cast<size_t>(kRows * width));
    kernels.open();
    for (int64_t row = first; row < last; row += kRows) {
      const int64_t count = std::min(kRows, last - row);
      const auto multiply_group = [&](int64_t p, int64_t s) {
        const int64_t begin = s * span, end = std::min(depth.blocks(), begin + span), stop = std::min(until, p + group);
        auto place = target.from(row, p * kPanelColumns);
        place.rows = count;
        if (direct) return multiply(packed, count, begin, end, p, stop, place);
        multiply(packed, count, begin, end, p, stop, {sums, width, true, count, width, 1, nullptr, false});
        if (s + 1 < spans) return;
        place.columns = std::min(columns, stop * kPanelColumns) - p * kPanelColumns;
        kernels.write(sums, width, place);
      };
      const auto pack_span = [&](int64_t s) {
        pack(row, count, s * span, std::min(depth.blocks(), (s + 1) * span), packed);
      };
      if (direct || spans == 1) {
        for (int64_t s = 0; s < spans; ++s) {
          pack_span(s);
          for (int64_t p = from; p < until; p += group) multiply_group(p, s);
        }
        continue;
      }
      for (int64_t p = from; p < until; p += group)
        for (int64_t s = 0; s < spans; ++s) {
          pack_span(s);
          multiply_group(p, s);
        }
    }
    kernels.close();
  }

  const Matrix left;
  const ProductKernels& kernels;
  const int32_t* words;
  Depth depth;
  int64_t rows, columns, panels;
  TileTarget target;

 private:
  /** Rows for the blocks `begin` to `end`, strip after strip of each. */
  void pack(int64_t row, int64_t count, int64_t begin, int64_t end, int32_t* to) const {
    for (int64_t b = begin; b < end; ++b)
      for (int64_t i = 0; i < count; i += kernels.strip, to += kernels.strip * depth.words(b)) {
        const Extent which{row + i, std::min(kernels.strip, count - i), depth.begin(b), depth.end(b)};
        if (!left.halves)
          kernels.pack_float_rows(source_of<float>(left, 0, 1), which, to);
        else
          kernels.pack_bits_rows(source_of<Bits>(left, 0, 1), which, to);
      }
  }

  /** Panels `from` to `until` of the blocks `begin` to `end`, into a target that begins with panel `from`. */
  void multiply(
      const int32_t* packed, int64_t count, int64_t begin, int64_t end, int64_t from, int64_t until, const TileTarget& to) const {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t deep = depth.words(b);
      const int32_t* block = words + depth.words_before(b) * panels * kPanelColumns;
      for (int64_t p = from; p < until; ++p) {
        auto own = to.from(0, (p - from) * kPanelColumns);
        if (b > 0) own.bias = nullptr;
        own.columns = std::min(kPanelColumns, columns - p * kPanelColumns);
        own.add = to.add || b > 0;
        kernels.multiply(packed, block + p * deep * kPanelColumns, deep, own);
      }
      packed += divided(count, kernels.strip) * kernels.strip * deep;
    }
  }
};

void product_here(const MatrixTarget& to, const Matrix& left, const PackedFactor& right, const ProductOptions& options) {
  const ProductRun work(to, left, right, options);
  work.run(0, work.rows, 0, work.panels);
}

void product(const MatrixTarget& to, const Matrix& left, const PackedFactor& right, const ProductOptions& options) {
  const ProductRun work(to, left, right, options);
  const int64_t threads = thread_count(), wanted = threads == 1 ? 1 : kTasks * threads;
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
