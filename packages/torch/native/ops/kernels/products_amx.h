// The innermost part of products by AMX: thirty-two rows by forty-eight columns in six of the processor's tiles. Written
// over a set of tiles, the processor's own or plain code for tests.
#pragma once

#include <cstring>

#include "products_tile.h"

#define PROMPTLOSS_AMX_TARGET target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16")
#define PROMPTLOSS_AMX __attribute__((PROMPTLOSS_AMX_TARGET))
#define PROMPTLOSS_AMX_INLINE inline __attribute__((always_inline, PROMPTLOSS_AMX_TARGET))

namespace promptloss {

/** Words of a row of a tile, and rows of a tile. */
constexpr int64_t kTileWords = 16;
/** The deepest panel that lies in the first cache beside a strip of rows, in words: 30 kB and 10 kB of 48. */
constexpr int64_t kNearWords = 160;

/** Sixty-four bytes that say which tiles have how many rows of how many bytes: here all have sixteen of sixty-four. */
struct alignas(64) TileConfig {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/** The processor's tiles: 0 to 2 sum sixteen rows, 3 to 5 the sixteen below, 6 holds rows and 7 columns. */
struct HardwareTiles {
  static PROMPTLOSS_AMX void open() {
    // In memory as a whole: gcc's _tile_loadconfig says that it reads eight bytes, so a local's other stores are left out.
    static const TileConfig config;
    _tile_loadconfig(&config);
  }

  static PROMPTLOSS_AMX void close() { _tile_release(); }

  static PROMPTLOSS_AMX_INLINE void clear() {
    // gcc's loads of tiles do not say that they read memory.
    asm volatile("" ::: "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
  }

  static PROMPTLOSS_AMX_INLINE void multiply(const int32_t* rows, const int32_t* columns) {
    _tile_loadd(6, rows, kRowBytes);
    _tile_loadd(7, columns, kPanelBytes);
    _tile_dpbf16ps(0, 6, 7);
    _tile_loadd(7, columns + 16, kPanelBytes);
    _tile_dpbf16ps(1, 6, 7);
    _tile_loadd(7, columns + 32, kPanelBytes);
    _tile_dpbf16ps(2, 6, 7);
  }

  /**
   * Two strips of rows. Columns are loaded once for both, and rows again and again: faster where columns come from the
   * second cache, and slower where they lie in the first.
   */
  static PROMPTLOSS_AMX_INLINE void multiply(const int32_t* rows, const int32_t* below, const int32_t* columns) {
    _tile_loadd(6, rows, kRowBytes);
    _tile_loadd(7, columns, kPanelBytes);
    _tile_dpbf16ps(0, 6, 7);
    _tile_loadd(6, below, kRowBytes);
    _tile_dpbf16ps(3, 6, 7);
    _tile_loadd(7, columns + 16, kPanelBytes);
    _tile_dpbf16ps(4, 6, 7);
    _tile_loadd(6, rows, kRowBytes);
    _tile_dpbf16ps(1, 6, 7);
    _tile_loadd(7, columns + 32, kPanelBytes);
    _tile_dpbf16ps(2, 6, 7);
    _tile_loadd(6, below, kRowBytes);
    _tile_dpbf16ps(5, 6, 7);
  }

  static PROMPTLOSS_AMX_INLINE void store(float* to, bool both) {
    _tile_stored(0, to, kPanelBytes);
    _tile_stored(1, to + 16, kPanelBytes);
    _tile_stored(2, to + 32, kPanelBytes);
    if (!both) return;
    to += kTileWords * kPanelColumns;
    _tile_stored(3, to, kPanelBytes);
    _tile_stored(4, to + 16, kPanelBytes);
    _tile_stored(5, to + 32, kPanelBytes);
  }

 private:
  static constexpr int64_t kRowBytes = kTileWords * sizeof(int32_t), kPanelBytes = kPanelColumns * sizeof(int32_t);
};

/** What the tiles do, in plain code. */
struct EmulatedTiles {
  static void open() {}
  static void close() {}
  static PROMPTLOSS_AMX_INLINE void clear() { std::memset(sums(), 0, sizeof(Sums)); }

  static PROMPTLOSS_AMX_INLINE void multiply(const int32_t* rows, const int32_t* columns) { add(rows, columns, sums()); }

  static PROMPTLOSS_AMX_INLINE void multiply(const int32_t* rows, const int32_t* below, const int32_t* columns) {
    add(rows, columns, sums());
    add(below, columns, sums() + kTileWords * kPanelColumns);
  }

  static PROMPTLOSS_AMX_INLINE void store(float* to, bool both) {
    std::memcpy(to, sums(), both ? sizeof(Sums) : sizeof(Sums) / 2);
  }

 private:
  using Sums = float[2 * kTileWords * kPanelColumns];

  static float* sums() {
    thread_local Sums values;
    return values;
  }

  static void add(const int32_t* rows, const int32_t* columns, float* to) {
    for (int64_t r = 0; r < kTileWords; ++r)
      for (int64_t k = 0; k < kTileWords; ++k)
        for (int64_t c = 0; c < kPanelColumns; ++c)
          to[r * kPanelColumns + c] += product(rows[r * kTileWords + k], columns[k * kPanelColumns + c]);
  }

  static float half(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }

  static float product(uint32_t a, uint32_t b) {
    return half(a << 16) * half(b << 16) + half(a & 0xffff0000u) * half(b & 0xffff0000u);
  }
};

/** Packed strips of sixteen rows, [step of sixteen words][row][word], by one panel of columns. */
template <typename Tiles>
PROMPTLOSS_AMX_INLINE void multiply_by_tiles(const int32_t* rows, const int32_t* columns, int64_t pairs, TileTarget to) {
  alignas(64) float sums[2 * kTileWords * kPanelColumns];
  const int64_t strip = kTileWords * pairs;
  while (to.rows > 0) {
    const bool both = to.rows > kTileWords && pairs > kNearWords;
    Tiles::clear();
    for (int64_t k = 0; k < strip; k += kTileWords * kTileWords) {
      if (both)
        Tiles::multiply(rows + k, rows + strip + k, columns + k / kTileWords * kPanelColumns);
      else
        Tiles::multiply(rows + k, columns + k / kTileWords * kPanelColumns);
    }
    Tiles::store(sums, both);
    const int64_t taken = std::min(to.rows, both ? 2 * kTileWords : kTileWords);
    for (int64_t r = 0; r < taken; ++r)
      for (int64_t v = 0; v < kTileVectors16; ++v)
        write_vector(to, r, v * 16, _mm512_load_ps(sums + r * kPanelColumns + v * 16));
    to = to.from(taken, 0);
    to.rows -= taken;
    rows += both ? 2 * strip : strip;
  }
}

/** Sixteen rows, or fewer, as `multiply_by_tiles` reads them. */
template <typename T>
PROMPTLOSS_BF16_INLINE void pack_tile_rows(const Source<T>& from, const Extent& which, int32_t* to) {
  const auto [first, count, begin, end] = which;
  for (int64_t k = begin; k < end; k += 2 * kTileWords, to += kTileWords * kTileWords) {
    const int64_t left = std::min<int64_t>(2 * kTileWords, end - k);
    __m512i words[16];
    if (from.depth == 1) {
      for (int64_t i = 0; i < 16; ++i)
        words[i] = i < count ? read_words(from.data + (first + i) * from.along + k, left) : _mm512_setzero_si512();
    } else {
      const __mmask16 rows = first16(count);
      const T* data = from.data + first * from.along + k * from.depth;
      for (int64_t i = 0; i < 16; ++i) {
        const __m512i low = 2 * i < left ? read_halves(data + 2 * i * from.depth, rows) : _mm512_setzero_si512();
        const __m512i high =
            2 * i + 1 < left ? read_halves(data + (2 * i + 1) * from.depth, rows) : _mm512_setzero_si512();
        words[i] = _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
      }
      transpose(words);
    }
    for (int64_t i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * kTileWords, words[i]);
  }
}

}  // namespace promptloss
