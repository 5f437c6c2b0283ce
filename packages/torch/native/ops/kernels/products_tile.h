// The innermost part of products by vectors: eight rows by forty-eight columns of a product in registers. Only for processors
// with AVX-512 bf16.
#pragma once

#include "products_pack.h"

namespace promptloss {

constexpr int64_t kTileRows16 = 8;
constexpr int64_t kTileVectors16 = kPanelColumns / 16;

/** Sixteen sums of a row, scaled, into a target. */
PROMPTLOSS_BF16_INLINE void write_vector(const TileTarget& to, int64_t row, int64_t column, __m512 sums) {
  const int64_t left = to.columns - column;
  if (left <= 0) return;
  const __mmask16 which = first16(left);
  const int64_t place = row * to.row + column;
  __m512 value = _mm512_mul_ps(sums, _mm512_set1_ps(to.scale));
  if (to.bias != nullptr) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(which, to.bias + column));
  if (!to.is_float) {
    _mm256_mask_storeu_epi16(static_cast<Bits*>(to.data) + place, which, (__m256i)_mm512_cvtneps_pbh(value));
    return;
  }
  float* data = static_cast<float*>(to.data) + place;
  if (to.add) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(which, data));
  _mm512_mask_storeu_ps(data, which, value);
}

/** Fetches memory into the second cache, a line at a time, while other things are done. */
struct Prefetch {
  const char* from;
  const char* end;

  PROMPTLOSS_BF16_INLINE void line() {
    if (from >= end) return;
    _mm_prefetch(from, _MM_HINT_T1);
    from += 64;
  }
};

/** Fetches the lines that a tile is written to: its rows lie apart, where the processor does not foresee them. */
PROMPTLOSS_BF16_INLINE void prefetch_target(const TileTarget& to) {
  const int64_t size = to.is_float ? sizeof(float) : sizeof(Bits);
  const auto* row = static_cast<const char*>(to.data);
  for (int64_t r = 0; r < std::min(kTileRows16, to.rows); ++r, row += to.row * size)
    for (int64_t b = 0; b < kPanelColumns * size; b += 64) __builtin_prefetch(row + b, 1);
}

/** to (+)= scale · left · right; left is packed by eights, right by forty-eights, `pairs` words deep. */
PROMPTLOSS_BF16_INLINE void multiply_tile(
    const int32_t* left, const int32_t* right, int64_t pairs, const TileTarget& to, Prefetch& next) {
  prefetch_target(to);
  __m512 sums[kTileRows16][kTileVectors16];
  for (int r = 0; r < kTileRows16; ++r)
    for (int v = 0; v < kTileVectors16; ++v) sums[r][v] = _mm512_setzero_ps();
  for (int64_t k = 0; k < pairs; ++k, left += kTileRows16, right += kPanelColumns) {
    if (k % 2 == 0) next.line();
    __m512bh columns[kTileVectors16];
    for (int v = 0; v < kTileVectors16; ++v) columns[v] = (__m512bh)_mm512_load_si512(right + v * 16);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows16; ++r) {
      const __m512bh factor = (__m512bh)_mm512_set1_epi32(left[r]);
      for (int v = 0; v < kTileVectors16; ++v) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], columns[v], factor);
    }
  }
  for (int r = 0; r < kTileRows16; ++r) {
    if (r >= to.rows) break;
    for (int v = 0; v < kTileVectors16; ++v) write_vector(to, r, v * 16, sums[r][v]);
  }
}

}  // namespace promptloss
