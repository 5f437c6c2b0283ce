#include "products.h"

#include <ATen/Parallel.h>

#include <vector>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <cpuid.h>

// GCC takes the undefined lanes in its own intrinsics for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include "products_tile.h"

namespace promptloss {
namespace {

/** Rows packed at a time: with the depth below, they fill part of a core's second cache. */
constexpr int64_t kRows = 64;
/** Depth of a block: forty-eight columns of it, and eight rows, lie in the first cache or stream from the second. */
constexpr int64_t kDepth = 384;
/** Depth for which rows are packed at a time. */
constexpr int64_t kSpan = 2048;
/** Columns whose sums are kept while the blocks of a span are added to them. */
constexpr int64_t kPanels = 10;

constexpr int64_t kTileWords = kTileColumns16;

int64_t divided(int64_t n, int64_t by) { return (n + by - 1) / by; }

/** Depth cut into blocks of equal size, a multiple of 32. */
struct Depth {
  explicit Depth(int64_t whole) : whole(whole), block(divided(divided(whole, std::max<int64_t>(1, divided(whole, kDepth))), 32) * 32) {}

  int64_t blocks() const { return divided(whole, block); }
  int64_t begin(int64_t index) const { return index * block; }
  int64_t end(int64_t index) const { return std::min(whole, (index + 1) * block); }
  int64_t pairs(int64_t index) const { return (end(index) - begin(index) + 1) / 2; }

  int64_t whole, block;
};

template <typename T>
Source<T> source_of(const at::Tensor& matrix, int64_t along, int64_t depth) {
  const auto step = [&](int64_t dim) { return matrix.size(dim) == 1 && matrix.stride(1 - dim) != 1 ? 1 : matrix.stride(dim); };
  return {static_cast<const T*>(matrix.data_ptr()), step(along), step(depth)};
}

/** Words of one panel of forty-eight columns. */
struct PanelWriter {
  int32_t* to;
  PROMPTLOSS_BF16_INLINE void operator()(int64_t pair, __m512i words) const {
    _mm512_store_si512(to + pair * kTileWords, words);
  }
};

/** Words of sixteen rows, which are two panels of eight. */
struct RowsWriter {
  int32_t *first, *second;
  PROMPTLOSS_BF16_INLINE void operator()(int64_t pair, __m512i words) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(first + pair * kTileRows16), _mm512_castsi512_si256(words));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(second + pair * kTileRows16), _mm512_extracti64x4_epi64(words, 1));
  }
};

template <typename T>
PROMPTLOSS_BF16_INLINE void pack_panel(const Source<T>& from, int64_t columns, const Depth& depth, int64_t panel, int32_t* to) {
  const int64_t panels = divided(columns, kTileColumns16);
  for (int64_t b = 0; b < depth.blocks(); ++b) {
    int32_t* block = to + depth.begin(b) / 2 * panels * kTileWords + panel * depth.pairs(b) * kTileWords;
    for (int64_t v = 0; v < kTileVectors16; ++v) {
      const int64_t first = panel * kTileColumns16 + v * 16;
      pack_strip(from, first, std::min<int64_t>(16, columns - first), depth.begin(b), depth.end(b), PanelWriter{block + v * 16});
    }
  }
}

PROMPTLOSS_BF16 void pack_float_panel(const Source<float>& from, int64_t columns, const Depth& depth, int64_t panel, int32_t* to) {
  pack_panel(from, columns, depth, panel, to);
}

PROMPTLOSS_BF16 void pack_bits_panel(const Source<Bits>& from, int64_t columns, const Depth& depth, int64_t panel, int32_t* to) {
  pack_panel(from, columns, depth, panel, to);
}

/** Rows `first` to `first` + `rows`, in panels of eight one behind the other, for each block of depth from `from_block` on. */
template <typename T>
PROMPTLOSS_BF16_INLINE void pack_rows(
    const Source<T>& from, int64_t first, int64_t rows, const Depth& depth, int64_t from_block, int64_t to_block, int32_t* to) {
  for (int64_t b = from_block; b < to_block; ++b) {
    const int64_t panel = depth.pairs(b) * kTileRows16;
    for (int64_t i = 0; i < rows; i += kStrip, to += 2 * panel)
      pack_strip(from, first + i, std::min(kStrip, rows - i), depth.begin(b), depth.end(b), RowsWriter{to, to + panel});
  }
}

PROMPTLOSS_BF16 void pack_float_rows(
    const Source<float>& from, int64_t first, int64_t rows, const Depth& depth, int64_t from_block, int64_t to_block, int32_t* to) {
  pack_rows(from, first, rows, depth, from_block, to_block, to);
}

PROMPTLOSS_BF16 void pack_bits_rows(
    const Source<Bits>& from, int64_t first, int64_t rows, const Depth& depth, int64_t from_block, int64_t to_block, int32_t* to) {
  pack_rows(from, first, rows, depth, from_block, to_block, to);
}

/** Tiles of packed rows by one panel of columns. */
PROMPTLOSS_BF16 void multiply_panel(const int32_t* left, const int32_t* right, int64_t pairs, TileTarget to) {
  for (; to.rows > 0; to = to.from(kTileRows16, 0), to.rows -= kTileRows16) {
    multiply_tile(left, right, pairs, to);
    left += pairs * kTileRows16;
  }
}

PROMPTLOSS_BF16 void round_rows(const float* from, int64_t from_row, const TileTarget& to) {
  for (int64_t r = 0; r < to.rows; ++r)
    for (int64_t c = 0; c < to.columns; c += 16) {
      const __m512 sums = _mm512_maskz_loadu_ps(first16(to.columns - c), from + r * from_row + c);
      write_vector(to, r, c, sums);
    }
}

bool cpu_has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 22 & 1) != 0;
}

}  // namespace

bool has_products() {
  static const bool has = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && !cpu_has_amx();
  return has;
}

PackedFactor::PackedFactor(const at::Tensor& right) : depth_(right.size(0)), columns_(right.size(1)) {
  TORCH_CHECK(is_factor(right), "a factor must be a matrix of float32 or bfloat16 on the CPU with a stride of 1");
  const Depth depth(depth_);
  const int64_t panels = divided(columns_, kTileColumns16), pairs = (depth_ + 1) / 2;
  words_ = at::empty({panels * pairs * kTileWords}, right.options().dtype(at::kInt));
  auto* to = words_.data_ptr<int32_t>();
  at::parallel_for(0, panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel)
      if (right.scalar_type() == at::kFloat)
        pack_float_panel(source_of<float>(right, 1, 0), columns_, depth, panel, to);
      else
        pack_bits_panel(source_of<Bits>(right, 1, 0), columns_, depth, panel, to);
  });
}

/** One product: what it reads and writes, as bare pointers. */
struct ProductRun {
  ProductRun(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options)
      : left(left),
        words(right.words_.data_ptr<int32_t>()),
        depth(right.depth_),
        rows(left.size(0)),
        columns(right.columns_),
        panels(divided(columns, kTileColumns16)),
        bias(options.bias),
        target{
            to.data_ptr(), to.stride(0), to.scalar_type() == at::kFloat, rows, columns, static_cast<float>(options.scale),
            bias.defined() ? bias.data_ptr<float>() : nullptr, options.add} {
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
    if (!direct) sums.resize(static_cast<size_t>(kRows * group * kTileColumns16));
    for (int64_t row = first; row < last; row += kRows) {
      const int64_t count = std::min(kRows, last - row);
      for (int64_t s = 0; s < spans; ++s) {
        const int64_t begin = s * span, end = std::min(depth.blocks(), begin + span);
        pack(row, count, begin, end, packed.data());
        for (int64_t p = from; p < until; p += group) {
          const int64_t stop = std::min(until, p + group);
          if (direct) {
            multiply(packed.data(), count, begin, end, p, stop, place(row, p, count));
            continue;
          }
          const int64_t width = group * kTileColumns16;
          multiply(packed.data(), count, begin, end, p, stop, {sums.data(), width, true, count, width, 1, nullptr, false});
          if (s + 1 < spans) continue;
          auto rounded = place(row, p, count);
          rounded.columns = std::min(columns, stop * kTileColumns16) - p * kTileColumns16;
          round_rows(sums.data(), width, rounded);
        }
      }
    }
  }

  at::Tensor left;
  const int32_t* words;
  Depth depth;
  int64_t rows, columns, panels;

 private:
  void pack(int64_t row, int64_t count, int64_t begin, int64_t end, int32_t* to) const {
    if (left.scalar_type() == at::kFloat)
      pack_float_rows(source_of<float>(left, 0, 1), row, count, depth, begin, end, to);
    else
      pack_bits_rows(source_of<Bits>(left, 0, 1), row, count, depth, begin, end, to);
  }

  /** `count` rows of the result from this row and panel on. */
  TileTarget place(int64_t row, int64_t panel, int64_t count) const {
    TileTarget to = target.from(row, panel * kTileColumns16);
    to.rows = count;
    return to;
  }

  /** Panels `from` to `until` of the blocks `begin` to `end`, into a target that begins with panel `from`. */
  void multiply(
      const int32_t* packed, int64_t count, int64_t begin, int64_t end, int64_t from, int64_t until, const TileTarget& to) const {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t pairs = depth.pairs(b);
      const int32_t* block = words + depth.begin(b) / 2 * panels * kTileWords;
      for (int64_t p = from; p < until; ++p) {
        TileTarget own = to.from(0, (p - from) * kTileColumns16);
        if (b > 0) own.bias = nullptr;
        own.columns = std::min(kTileColumns16, columns - p * kTileColumns16);
        own.add = to.add || b > 0;
        multiply_panel(packed, block + p * pairs * kTileWords, pairs, own);
      }
      packed += divided(count, kStrip) * kStrip * pairs;
    }
  }

  at::Tensor bias;
  TileTarget target;
};

void product_here(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options) {
  const ProductRun work(to, left, right, options);
  work.run(0, work.rows, 0, work.panels);
}

void product(const at::Tensor& to, const at::Tensor& left, const PackedFactor& right, const ProductOptions& options) {
  const ProductRun work(to, left, right, options);
  const int64_t blocks = divided(work.rows, kRows), wanted = 4 * at::get_num_threads();
  // Few rows are shared out by columns as well, each part packing its rows again.
  const int64_t parts = std::max<int64_t>(1, std::min(work.panels, blocks == 0 ? 1 : wanted / blocks));
  at::parallel_for(0, blocks * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / parts * kRows, part = task % parts;
      work.run(row, std::min(work.rows, row + kRows), work.panels * part / parts, work.panels * (part + 1) / parts);
    }
  });
}

}  // namespace promptloss

#else

namespace promptloss {

bool has_products() { return false; }

PackedFactor::PackedFactor(const at::Tensor& right) : depth_(right.size(0)), columns_(right.size(1)) {
  TORCH_CHECK(false, "these products are written for processors with AVX-512 bf16");
}

void product(const at::Tensor&, const at::Tensor&, const PackedFactor&, const ProductOptions&) {}

void product_here(const at::Tensor&, const at::Tensor&, const PackedFactor&, const ProductOptions&) {}

}  // namespace promptloss

#endif

namespace promptloss {

bool is_factor(const at::Tensor& matrix) {
  return matrix.dim() == 2 && matrix.is_cpu() &&
         (matrix.scalar_type() == at::kFloat || matrix.scalar_type() == at::kBFloat16) &&
         (matrix.stride(0) == 1 || matrix.stride(1) == 1);
}

}  // namespace promptloss
