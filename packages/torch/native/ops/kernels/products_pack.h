// Packing for products_kernels.h: sixteen rows or columns of a matrix at a time, in words of two bfloat16 that follow each
// other along the depth of the product. Only for processors with AVX-512 bf16.
#pragma once

#include <immintrin.h>

#include <algorithm>

#include "products_kernels.h"

#define PROMPTLOSS_BF16_TARGET target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")
#define PROMPTLOSS_BF16 __attribute__((PROMPTLOSS_BF16_TARGET))
#define PROMPTLOSS_BF16_INLINE inline __attribute__((always_inline, PROMPTLOSS_BF16_TARGET))

namespace promptloss {

/** Sixteen numbers, or fewer, as the lower halves of words; what is left out is 0. */
PROMPTLOSS_BF16_INLINE __m512i read_halves(const float* from, __mmask16 which) {
  return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(which, from)));
}

PROMPTLOSS_BF16_INLINE __m512i read_halves(const Bits* from, __mmask16 which) {
  return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(which, from));
}

PROMPTLOSS_BF16_INLINE __mmask16 first16(int64_t count) {
  return count >= 16 ? 0xffff : static_cast<__mmask16>((1u << std::max<int64_t>(count, 0)) - 1);
}

/** Thirty-two numbers that follow each other, or fewer, as sixteen words; what is left out is 0. */
PROMPTLOSS_BF16_INLINE __m512i read_words(const float* from, int64_t count) {
  const __m512 low = _mm512_maskz_loadu_ps(first16(count), from);
  const __m512 high = _mm512_maskz_loadu_ps(first16(count - 16), from + 16);
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

PROMPTLOSS_BF16_INLINE __m512i read_words(const Bits* from, int64_t count) {
  const __mmask32 which = count >= 32 ? 0xffffffffu : (1u << count) - 1;
  return _mm512_maskz_loadu_epi16(which, from);
}

/** Sixteen vectors of sixteen words, transposed in place. */
PROMPTLOSS_BF16_INLINE void transpose(__m512i* r) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // Now vector 4 g + c holds column c of each quarter, of rows 4 g to 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512i low_even = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88);
    const __m512i low_odd = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd);
    const __m512i high_even = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
    const __m512i high_odd = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
    t[c] = _mm512_shuffle_i32x4(low_even, high_even, 0x88);
    t[8 + c] = _mm512_shuffle_i32x4(low_even, high_even, 0xdd);
    t[4 + c] = _mm512_shuffle_i32x4(low_odd, high_odd, 0x88);
    t[12 + c] = _mm512_shuffle_i32x4(low_odd, high_odd, 0xdd);
  }
  for (int i = 0; i < 16; ++i) r[i] = t[i];
}

/** Sixteen rows or columns, or fewer: `write` takes the words of each pair of depths, counted from 0. */
template <typename T, typename Write>
PROMPTLOSS_BF16_INLINE void pack_strip(const Source<T>& from, const Extent& which_ones, const Write& write) {
  const auto [first, count, begin, end] = which_ones;
  if (from.depth != 1) {
    const __mmask16 which = first16(count);
    const T* data = from.data + first * from.along;
    for (int64_t k = begin; k < end; k += 2) {
      const __m512i low = read_halves(data + k * from.depth, which);
      const __m512i high = k + 1 < end ? read_halves(data + (k + 1) * from.depth, which) : _mm512_setzero_si512();
      write((k - begin) / 2, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
    return;
  }
  for (int64_t k = begin; k < end; k += 32) {
    const int64_t left = std::min<int64_t>(32, end - k);
    __m512i words[16];
    for (int64_t i = 0; i < 16; ++i)
      words[i] = i < count ? read_words(from.data + (first + i) * from.along + k, left) : _mm512_setzero_si512();
    transpose(words);
    for (int64_t i = 0; i < (left + 1) / 2; ++i) write((k - begin) / 2 + i, words[i]);
  }
}

}  // namespace promptloss
