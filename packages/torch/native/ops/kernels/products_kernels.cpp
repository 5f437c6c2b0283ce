#include "products_kernels.h"

// Older compilers do not know these instructions.
#if defined(__x86_64__) && (__GNUC__ >= 11 || __clang_major__ >= 11)
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#ifndef __clang__
// GCC takes the undefined lanes in its own intrinsics for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "products_amx.h"

namespace promptloss {
namespace {

/** Words of one strip among forty-eight columns. */
struct ColumnsWriter {
  int32_t* to;
  PROMPTLOSS_BF16_INLINE void operator()(int64_t pair, __m512i words) const {
    _mm512_store_si512(to + pair * kPanelColumns, words);
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

/** Rows that are packed together. */
constexpr int64_t kStrip = 16;

template <typename T>
PROMPTLOSS_BF16_INLINE void pack_columns(const Source<T>& from, const Extent& which, int32_t* to) {
  for (int64_t c = 0; c < kPanelColumns; c += kStrip)
    pack_strip(from, {which.first + c, std::min(kStrip, which.count - c), which.begin, which.end}, ColumnsWriter{to + c});
}

PROMPTLOSS_BF16 void pack_float_columns(const Source<float>& from, const Extent& which, int32_t* to) {
  pack_columns(from, which, to);
}

PROMPTLOSS_BF16 void pack_bits_columns(const Source<Bits>& from, const Extent& which, int32_t* to) {
  pack_columns(from, which, to);
}

/** The same, and zeros up to whole tiles. */
template <typename T>
void pack_columns_for_tiles(
    const Source<T>& from, const Extent& which, int32_t* to, void (*pack)(const Source<T>&, const Extent&, int32_t*)) {
  pack(from, which, to);
  const int64_t pairs = (which.end - which.begin + 1) / 2;
  const int64_t whole = (pairs + kTileWords - 1) / kTileWords * kTileWords;
  std::memset(to + pairs * kPanelColumns, 0, static_cast<size_t>((whole - pairs) * kPanelColumns) * sizeof(int32_t));
}

void pack_float_columns_for_tiles(const Source<float>& from, const Extent& which, int32_t* to) {
  pack_columns_for_tiles(from, which, to, &pack_float_columns);
}

void pack_bits_columns_for_tiles(const Source<Bits>& from, const Extent& which, int32_t* to) {
  pack_columns_for_tiles(from, which, to, &pack_bits_columns);
}

template <typename T>
PROMPTLOSS_BF16_INLINE void pack_rows(const Source<T>& from, const Extent& which, int32_t* to) {
  pack_strip(from, which, RowsWriter{to, to + (which.end - which.begin + 1) / 2 * kTileRows16});
}

PROMPTLOSS_BF16 void pack_float_rows(const Source<float>& from, const Extent& which, int32_t* to) {
  pack_rows(from, which, to);
}

PROMPTLOSS_BF16 void pack_bits_rows(const Source<Bits>& from, const Extent& which, int32_t* to) {
  pack_rows(from, which, to);
}

PROMPTLOSS_BF16 void pack_float_tile_rows(const Source<float>& from, const Extent& which, int32_t* to) {
  pack_tile_rows(from, which, to);
}

PROMPTLOSS_BF16 void pack_bits_tile_rows(const Source<Bits>& from, const Extent& which, int32_t* to) {
  pack_tile_rows(from, which, to);
}

PROMPTLOSS_BF16 void multiply_vectors(const int32_t* rows, const int32_t* columns, int64_t pairs, TileTarget to) {
  // Panels follow each other in memory; the next one comes from afar while this one is in the first cache.
  const auto* next = reinterpret_cast<const char*>(columns + pairs * kPanelColumns);
  Prefetch panel{next, next + pairs * kPanelColumns * sizeof(int32_t)};
  for (; to.rows > 0; to = to.from(kTileRows16, 0), to.rows -= kTileRows16, rows += pairs * kTileRows16)
    multiply_tile(rows, columns, pairs, to, panel);
}

PROMPTLOSS_AMX void multiply_hardware_tiles(const int32_t* rows, const int32_t* columns, int64_t pairs, TileTarget to) {
  multiply_by_tiles<HardwareTiles>(rows, columns, pairs, to);
}

PROMPTLOSS_AMX void multiply_emulated_tiles(const int32_t* rows, const int32_t* columns, int64_t pairs, TileTarget to) {
  multiply_by_tiles<EmulatedTiles>(rows, columns, pairs, to);
}

PROMPTLOSS_BF16 void write_block(const float* from, int64_t from_row, const TileTarget& to) {
  for (int64_t r = 0; r < to.rows; ++r)
    for (int64_t c = 0; c < to.columns; c += 16)
      write_vector(to, r, c, _mm512_maskz_loadu_ps(first16(to.columns - c), from + r * from_row + c));
}

void nothing() {}

constexpr ProductKernels kVectors{2,
                                  kStrip,
                                  1,
                                  192,
                                  pack_float_columns,
                                  pack_bits_columns,
                                  pack_float_rows,
                                  pack_bits_rows,
                                  multiply_vectors,
                                  write_block,
                                  nothing,
                                  nothing};

/** Those of a set of tiles. */
constexpr ProductKernels tiles(decltype(ProductKernels::multiply) multiply, void (*open)(), void (*close)()) {
  return {2,
          kStrip,
          kTileWords,
          384,
          pack_float_columns_for_tiles,
          pack_bits_columns_for_tiles,
          pack_float_tile_rows,
          pack_bits_tile_rows,
          multiply,
          write_block,
          open,
          close};
}

constexpr ProductKernels kHardwareTiles = tiles(multiply_hardware_tiles, HardwareTiles::open, HardwareTiles::close);
constexpr ProductKernels kEmulatedTiles = tiles(multiply_emulated_tiles, EmulatedTiles::open, EmulatedTiles::close);

bool knows_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0;
}

/** Whether tiles multiply whole numbers as plain code does; what they get wrong here they are not asked. */
bool tiles_are_right() {
  // Deep enough that of three strips two are multiplied together, and one alone.
  constexpr int64_t count = 3 * kTileWords, deep = kNearWords + kTileWords;
  alignas(64) static int32_t rows[count * deep], columns[deep * kPanelColumns];
  // 1, 2, 3 and 4 as bfloat16.
  constexpr uint32_t numbers[] = {0x3f80, 0x4000, 0x4040, 0x4080};
  for (int64_t i = 0; i < count * deep; ++i)
    rows[i] = static_cast<int32_t>(numbers[i % 4] | numbers[i / 3 % 4] << 16);
  for (int64_t i = 0; i < deep * kPanelColumns; ++i)
    columns[i] = static_cast<int32_t>(numbers[i / 5 % 4] | numbers[i / 7 % 4] << 16);
  float found[count * kPanelColumns] = {}, right[count * kPanelColumns] = {};
  const auto into = [](float* to) { return TileTarget{to, kPanelColumns, true, count, kPanelColumns, 1, nullptr, false}; };
  HardwareTiles::open();
  multiply_hardware_tiles(rows, columns, deep, into(found));
  HardwareTiles::close();
  multiply_emulated_tiles(rows, columns, deep, into(right));
  return std::memcmp(found, right, sizeof(found)) == 0;
}

}  // namespace

bool has_vectors() {
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

bool has_tiles() {
#ifdef __linux__
  // Linux gives a process the tiles' registers when it asks.
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return knows_tiles() && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

const ProductKernels* pair_kernels() {
  static const ProductKernels* const chosen = []() -> const ProductKernels* {
    if (!has_vectors()) return nullptr;
    if (!has_tiles()) return &kVectors;
    // oneDNN knows more about tiles that are not understood here.
    return tiles_are_right() ? &kHardwareTiles : nullptr;
  }();
  return chosen;
}

const ProductKernels* emulated_tile_kernels() { return has_vectors() ? &kEmulatedTiles : nullptr; }

}  // namespace promptloss

#else

namespace promptloss {

bool has_vectors() { return false; }

bool has_tiles() { return false; }

const ProductKernels* pair_kernels() { return nullptr; }

const ProductKernels* emulated_tile_kernels() { return nullptr; }

}  // namespace promptloss

#endif
