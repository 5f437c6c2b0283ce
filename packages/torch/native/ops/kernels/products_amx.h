// The innermost part of products by AMX: sixteen rows by forty-eight columns in three of the processor's tiles. Written
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

/** Sixty-four bytes that say which tiles have how many rows of how many bytes: here all have sixteen of sixty-four. */
struct alignas(64) TileConfig {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/** The processor's tiles: 0 to 2 sum, 3 holds rows, 4 to 6 hold columns. */
struct HardwareTiles {
  static PROMPTLOSS_AMX void open() {
    // In memory as a whole: gcc's _tile_loadconfig says that it reads eight bytes, so a local's other stores are left out.
    static const TileConfig config;
    _tile_loadconfig(&config);
  }

  static PROMPTLOSS_AMX void close() { _tile_release(); }

  static PROMPTLOSS_AMX_INLINE void clear() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
  }

  static PROMPTLOSS_AMX_INLINE void multiply(const int32_t* rows, const int32_t* columns) {
    constexpr int64_t step = kPanelColumns * sizeof(int32_t);
    // gcc's loads of tiles do not say that they read memory.
    asm volatile("" ::: "memory");
    _tile_loadd(3, rows, kTileWords * sizeof(int32_t));
    _tile_loadd(4, columns, step);
    _tile_dpbf16ps(0, 3, 4);
    _tile_loadd(5, columns + 16, step);
    _tile_dpbf16ps(1, 3, 5);
    _tile_loadd(6, columns + 32, step);
    _tile_dpbf16ps(2, 3, 6);
  }

  static PROMPTLOSS_AMX_INLINE void store(float* to) {
    constexpr int64_t step = kPanelColumns * sizeof(float);
    _tile_stored(0, to, step);
    _tile_stored(1, to + 16, step);
    _tile_stored(2, to + 32, step);
  }
};

/** What the tiles do, in plain code. */
struct EmulatedTiles {
  static void open() {}
  static void close() {}
  static PROMPTLOSS_AMX_INLINE void clear() { std::memset(sums(), 0, kTileWords * kPanelColumns * sizeof(float)); }

  static PROMPTLOSS_AMX_INLINE void multiply(const int32_t* rows, const int32_t* columns) {
    for (int64_t r = 0; r < kTileWords; ++r)
      for (int64_t k = 0; k < kTileWords; ++k)
        for (int64_t c = 0; c < kPanelColumns; ++c)
          sums()[r * kPanelColumns + c] += product(rows[r * kTileWords + k], columns[k * kPanelColumns + c]);
  }

  static PROMPTLOSS_AMX_INLINE void store(float* to) {
    std::memcpy(to, sums(), kTileWords * kPanelColumns * sizeof(float));
  }

 private:
  static float* sums() {
    thread_local float values[kTileWords * kPanelColumns];
    return values;
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
  alignas(64) float sums[kTileWords * kPanelColumns];
  for (; to.rows > 0; to = to.from(kTileWords, 0), to.rows -= kTileWords) {
    Tiles::clear();
    for (int64_t k = 0; k < pairs; k += kTileWords, rows += kTileWords * kTileWords)
      Tiles::multiply(rows, columns + k * kPanelColumns);
    Tiles::store(sums);
    const int64_t count = std::min(to.rows, kTileWords);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t v = 0; v < kTileVectors16; ++v)
        write_vector(to, r, v * 16, _mm512_load_ps(sums + r * kPanelColumns + v * 16));
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
