// The parts of products.cpp for float32: words are one number each, so that a product is exact to float32's rounding.
// Operands in bfloat16 are widened while they are packed, for processors that have no instruction for pairs of them; there
// float32 that is to be multiplied as bfloat16 is rounded to it, so that all processors give the same to float32's rounding.
//
// Gains: with AVX-512 on AMD's processors libtorch's float32 products go to a library that leaves half of the units idle;
// and products of bfloat16 cost what those of float32 do where the processor has no instructions for bfloat16, for which
// libtorch takes some hundred times as long. Measured by bench/src/torch. A tile of sums fills the registers: with AVX-512
// eight rows by three vectors, with AVX2 six by two. Columns lie side by side as many as a tile has, so that those of a block
// of depth stay in the first cache while all rows that are packed meet them.
//
// Plain twin: the same source for vectors that the compiler makes of smaller ones (kPlain), and libtorch's product in
// float64 (linear.test.ts holds them together).
#include "products_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lanes.h"
#include "processor.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

namespace promptloss {
namespace {

#define PROMPTLOSS_AVX2 __attribute__((target("arch=x86-64-v3")))
#define PROMPTLOSS_AVX512 __attribute__((target("arch=x86-64-v4")))

typedef float Eight __attribute__((vector_size(32)));

template <typename V>
constexpr int64_t lanes_of() {
  return static_cast<int64_t>(sizeof(V) / sizeof(float));
}

template <typename V>
PROMPTLOSS_INLINE V read_vector(const float* from) {
  V result;
  std::memcpy(&result, from, sizeof(result));
  return result;
}

template <typename V>
PROMPTLOSS_INLINE void add_into(float* to, V value, bool add) {
  if (add) value += read_vector<V>(to);
  std::memcpy(to, &value, sizeof(value));
}

/** One row of a tile's sums, scaled, into a target: `count` of them, which follow each other. */
PROMPTLOSS_INLINE void write_row(const float* sums, int64_t count, const TileTarget& to, int64_t row, int64_t column) {
  const int64_t place = row * to.row + column;
  float* floats = static_cast<float*>(to.data) + place;
  BFloat16* halves = static_cast<BFloat16*>(to.data) + place;
  for (int64_t c = 0; c < count; ++c) {
    float value = sums[c] * to.scale;
    if (to.bias != nullptr) value += to.bias[column + c];
    if (!to.is_float)
      put(halves + c, value);
    else
      floats[c] = to.add ? floats[c] + value : value;
  }
}

/** The same for a whole vector of bfloat16. */
PROMPTLOSS_INLINE void write_halves(const float* sums, const TileTarget& to, int64_t row, int64_t column) {
  Floats value = load(sums) * to.scale;
  if (to.bias != nullptr) value += load(to.bias + column);
  store(static_cast<BFloat16*>(to.data) + row * to.row + column, value);
}

/** left · right for ROWS rows, packed side by side, by VECTORS vectors of columns → sums [ROWS][VECTORS]. */
template <typename V, int ROWS, int VECTORS>
PROMPTLOSS_INLINE void sum_tile(const float* left, const float* right, int64_t depth, V* to) {
  constexpr int64_t lanes = lanes_of<V>();
  V sums[ROWS][VECTORS];
  for (int r = 0; r < ROWS; ++r)
    for (int v = 0; v < VECTORS; ++v) sums[r][v] = V{};
  for (int64_t k = 0; k < depth; ++k, left += ROWS, right += VECTORS * lanes) {
    V row[VECTORS];
    for (int v = 0; v < VECTORS; ++v) row[v] = read_vector<V>(right + v * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r)
      for (int v = 0; v < VECTORS; ++v) sums[r][v] += row[v] * left[r];
  }
  std::memcpy(to, sums, sizeof(sums));
}

/** to (+)= scale · sums + bias, for a tile that begins at a column. */
template <typename V, int ROWS, int VECTORS>
PROMPTLOSS_INLINE void write_tile(const V* sums, const TileTarget& to, int64_t column) {
  constexpr int64_t lanes = lanes_of<V>(), width = VECTORS * lanes;
  const int64_t rows = std::min<int64_t>(ROWS, to.rows), columns = std::min(width, to.columns - column);
  if (to.is_float && columns == width) {
    float* data = static_cast<float*>(to.data) + column;
    V bias[VECTORS];
    for (int v = 0; v < VECTORS; ++v)
      bias[v] = to.bias == nullptr ? V{} : read_vector<V>(to.bias + column + v * lanes);
    for (int64_t r = 0; r < rows; ++r)
      for (int v = 0; v < VECTORS; ++v)
        add_into<V>(data + r * to.row + v * lanes, sums[r * VECTORS + v] * to.scale + bias[v], to.add);
    return;
  }
  const auto* floats = reinterpret_cast<const float*>(sums);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; c += kLanes) {
      const int64_t count = std::min(kLanes, columns - c);
      if (!to.is_float && count == kLanes)
        write_halves(floats + r * width + c, to, r, column + c);
      else
        write_row(floats + r * width + c, count, to, r, column + c);
    }
}

/**
 * Packed rows, strip after strip, by a panel of packed columns, a tile's width after the other.
 * @param sum, write functions of their own, so that what the one needs of registers is not kept through the other
 */
template <typename V, int ROWS, int VECTORS>
PROMPTLOSS_INLINE void multiply_floats(
    const int32_t* rows, const int32_t* columns, int64_t depth, const TileTarget& to,
    void (*sum)(const float*, const float*, int64_t, V*), void (*write)(const V*, const TileTarget&, int64_t)) {
  constexpr int64_t width = VECTORS * lanes_of<V>();
  static_assert(kPanelColumns % width == 0, "tiles fill a panel");
  const auto* right = reinterpret_cast<const float*>(columns);
  for (int64_t column = 0; column < std::min(kPanelColumns, to.columns); column += width, right += depth * width) {
    const auto* left = reinterpret_cast<const float*>(rows);
    TileTarget part = to;
    for (; part.rows > 0; part = part.from(ROWS, 0), part.rows -= ROWS, left += depth * ROWS) {
      V sums[ROWS * VECTORS];
      // Rows of the target lie apart, where the processor does not foresee them.
      const int64_t size = part.is_float ? sizeof(float) : sizeof(Bits);
      const auto* row = static_cast<const char*>(part.data) + column * size;
      for (int64_t r = 0; r < std::min<int64_t>(ROWS, part.rows); ++r, row += part.row * size) {
        __builtin_prefetch(row, 1);
        __builtin_prefetch(row + width * size - 1, 1);
      }
      sum(left, right, depth, sums);
      write(sums, part, column);
    }
  }
}

/** A float32 that is multiplied as bfloat16. */
struct Rounded {
  float value;
};

PROMPTLOSS_INLINE float widened(float value) { return value; }
PROMPTLOSS_INLINE float widened(Bits bits) { return to_float(BFloat16{bits}); }
PROMPTLOSS_INLINE float widened(Rounded from) {
  BFloat16 half;
  put(&half, from.value);
  return to_float(half);
}

/** Eight numbers that follow each other. */
PROMPTLOSS_AVX2 inline __m256 read_eight(const float* from) { return _mm256_loadu_ps(from); }
PROMPTLOSS_AVX2 inline __m256 read_eight(const Bits* from) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

PROMPTLOSS_AVX2 inline __m256 read_eight(const Rounded* from) {
  const __m256 values = _mm256_loadu_ps(&from->value);
  const __m256i bits = _mm256_castps_si256(values);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256 rounded = _mm256_castsi256_ps(_mm256_and_si256(up, _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
  // A number that is none stays one.
  return _mm256_blendv_ps(rounded, _mm256_set1_ps(NAN), _mm256_cmp_ps(values, values, _CMP_UNORD_Q));
}

/** Eight vectors of eight, transposed in place. */
PROMPTLOSS_AVX2 inline void transpose_eights(__m256* r) {
  __m256 t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm256_permute2f128_ps(r[i], r[4 + i], 0x20);
    t[4 + i] = _mm256_permute2f128_ps(r[i], r[4 + i], 0x31);
  }
  for (int i = 0; i < 8; ++i) r[i] = t[i];
}

/** Up to `width` rows or columns → [depth][width]; those that do not exist are 0. */
template <typename T>
PROMPTLOSS_AVX2 void pack_side_by_side(const Source<T>& from, const Extent& which, int64_t width, float* to) {
  const auto [first, count, begin, end] = which;
  const T* data = from.data + first * from.along;
  if (from.depth != 1) {
    for (int64_t k = begin; k < end; ++k, to += width) {
      const T* row = data + k * from.depth;
      int64_t i = 0;
      for (; i + 8 <= count; i += 8) _mm256_storeu_ps(to + i, read_eight(row + i));
      for (; i < count; ++i) to[i] = widened(row[i]);
      for (; i < width; ++i) to[i] = 0;
    }
    return;
  }
  // Eight by eight; what is neither whole nor of eight rows goes one number at a time.
  for (int64_t i = 0; i < width; i += 8) {
    const int64_t wide = std::min<int64_t>(8, width - i), there = std::min(wide, count - i);
    int64_t k = begin;
    for (; there > 0 && k + 8 <= end; k += 8) {
      __m256 r[8];
      for (int64_t j = 0; j < 8; ++j) r[j] = j < there ? read_eight(data + (i + j) * from.along + k) : _mm256_setzero_ps();
      transpose_eights(r);
      for (int64_t j = 0; j < 8; ++j) {
        float* place = to + (k - begin + j) * width + i;
        if (wide == 8) {
          _mm256_storeu_ps(place, r[j]);
          continue;
        }
        float values[8];
        _mm256_storeu_ps(values, r[j]);
        std::memcpy(place, values, static_cast<size_t>(wide) * sizeof(float));
      }
    }
    for (; k < end; ++k)
      for (int64_t j = 0; j < wide; ++j)
        to[(k - begin) * width + i + j] = j < there ? widened(data[(i + j) * from.along + k]) : 0;
  }
}

/** Memory read as numbers of another kind of the same size. */
template <typename T, typename From>
Source<T> read_as(const Source<From>& from) {
  static_assert(sizeof(T) == sizeof(From), "the same memory");
  return {reinterpret_cast<const T*>(from.data), from.along, from.depth};
}

/** A panel of columns, as many side by side as a tile is wide. */
template <typename T, int64_t WIDTH, typename From>
PROMPTLOSS_AVX2 void pack_panel(const Source<From>& source, const Extent& which, int32_t* to) {
  const auto from = read_as<T>(source);
  auto* floats = reinterpret_cast<float*>(to);
  for (int64_t c = 0; c < kPanelColumns; c += WIDTH, floats += WIDTH * (which.end - which.begin))
    pack_side_by_side(
        from, {which.first + c, std::clamp<int64_t>(which.count - c, 0, WIDTH), which.begin, which.end}, WIDTH, floats);
}

template <typename T, int64_t ROWS, typename From>
PROMPTLOSS_AVX2 void pack_rows(const Source<From>& from, const Extent& which, int32_t* to) {
  pack_side_by_side(read_as<T>(from), which, ROWS, reinterpret_cast<float*>(to));
}

/** The three functions of a tile, compiled for a kind of processor. */
#define PROMPTLOSS_FLOAT_TILE(NAME, TARGET, V, ROWS, VECTORS)                                                           \
  TARGET __attribute__((noinline)) void sum_##NAME(const float* left, const float* right, int64_t depth, V* to) {       \
    sum_tile<V, ROWS, VECTORS>(left, right, depth, to);                                                                 \
  }                                                                                                                     \
  TARGET __attribute__((noinline)) void write_##NAME(const V* sums, const TileTarget& to, int64_t column) {             \
    write_tile<V, ROWS, VECTORS>(sums, to, column);                                                                     \
  }                                                                                                                     \
  TARGET void multiply_##NAME(const int32_t* rows, const int32_t* columns, int64_t depth, TileTarget to) {              \
    multiply_floats<V, ROWS, VECTORS>(rows, columns, depth, to, &sum_##NAME, &write_##NAME);                            \
  }

PROMPTLOSS_FLOAT_TILE(avx2, PROMPTLOSS_AVX2, Eight, 6, 2)
PROMPTLOSS_FLOAT_TILE(avx512, PROMPTLOSS_AVX512, Floats, 8, 3)
/** AVX-512's tile, of vectors that the compiler puts together. */
PROMPTLOSS_FLOAT_TILE(plain, PROMPTLOSS_AVX2, Floats, 8, 3)

#undef PROMPTLOSS_FLOAT_TILE

PROMPTLOSS_AVX2 void write_block(const float* from, int64_t from_row, const TileTarget& to) {
  for (int64_t r = 0; r < to.rows; ++r) {
    int64_t c = 0;
    if (!to.is_float)
      for (; c + kLanes <= to.columns; c += kLanes) write_halves(from + r * from_row + c, to, r, c);
    write_row(from + r * from_row + c, to.columns - c, to, r, c);
  }
}

void nothing() {}

/** @tparam F what a float32 is multiplied as: float, or Rounded */
template <int64_t ROWS, int64_t WIDTH, typename F>
constexpr ProductKernels kernels(decltype(ProductKernels::multiply) multiply) {
  return {1,
          ROWS,
          1,
          192,
          pack_panel<F, WIDTH, float>,
          pack_panel<Bits, WIDTH, Bits>,
          pack_rows<F, ROWS, float>,
          pack_rows<Bits, ROWS, Bits>,
          multiply,
          write_block,
          nothing,
          nothing};
}

constexpr ProductKernels kAvx2[] = {kernels<6, 16, float>(multiply_avx2), kernels<6, 16, Rounded>(multiply_avx2)};
constexpr ProductKernels kAvx512[] = {kernels<8, 48, float>(multiply_avx512), kernels<8, 48, Rounded>(multiply_avx512)};
constexpr ProductKernels kPlain[] = {kernels<8, 48, float>(multiply_plain), kernels<8, 48, Rounded>(multiply_plain)};

bool has_avx2() { return this_processor() != Processor::basic; }

bool has_avx512() { return this_processor() == Processor::avx512; }

}  // namespace

const ProductKernels* float_kernels(Operands operands) {
  if (!has_avx2()) return nullptr;
  return &(has_avx512() ? kAvx512 : kAvx2)[operands == Operands::halves];
}

const ProductKernels* emulated_float_kernels(Operands operands) {
  return has_avx2() ? &kPlain[operands == Operands::halves] : nullptr;
}

bool prefers_own_floats() { return has_avx512() && __builtin_cpu_is("amd"); }

}  // namespace promptloss

#else

namespace promptloss {

const ProductKernels* float_kernels(Operands) { return nullptr; }

const ProductKernels* emulated_float_kernels(Operands) { return nullptr; }

bool prefers_own_floats() { return false; }

}  // namespace promptloss

#endif
