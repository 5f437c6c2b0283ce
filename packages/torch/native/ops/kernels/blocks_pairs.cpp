// blocks_pairs.h: each kind reads a stretch as thirty-two codes in bfloat16 with a scale, and with what is taken away from
// all of them, for every pair. A product of few rows adds up scale · (codes · rows) without expanding anything; expanding
// multiplies the codes, and rounds.
//
// Gains: generation reads the blocks and nothing else. Measured by bench/src/few-bits. Plain twin: what blocks.cpp expands
// (blocks.test.ts holds them together).
#include "blocks_pairs.h"

#include "products_kernels.h"

// Older compilers do not know these instructions.
#if defined(__x86_64__) && (__GNUC__ >= 11 || __clang_major__ >= 11)
#ifndef __clang__
// GCC takes the undefined lanes in its own intrinsics for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "block_decoders.h"
#include "products_pack.h"

namespace promptloss {
namespace {

/** Thirty-two codes, two a word, and what goes for each word: value = scale · code - least. */
struct Codes {
  __m512i codes;
  __m512 scale;
  __m512 least;
};

/** For the two halves of a stretch. */
PROMPTLOSS_BF16_INLINE __m512 halves_of(float first, float second) {
  return _mm512_mask_blend_ps(0xff00, _mm512_set1_ps(first), _mm512_set1_ps(second));
}

/** bfloat16 bits of a whole number that it holds. */
constexpr uint16_t bits_of(int value) {
  if (value == 0) return 0;
  const unsigned magnitude = static_cast<unsigned>(value < 0 ? -value : value);
  unsigned exponent = 0;
  while (magnitude >> (exponent + 1) != 0) ++exponent;
  const unsigned mantissa = exponent > 7 ? 0 : (magnitude << (7 - exponent)) & 0x7f;
  return static_cast<uint16_t>((value < 0 ? 0x8000u : 0u) | (127 + exponent) << 7 | mantissa);
}

/** Sixty-four values in bfloat16: of code c, c - less. */
struct alignas(64) Counting {
  uint16_t values[64];
  explicit constexpr Counting(int less) : values() {
    for (int code = 0; code < 64; ++code) values[code] = bits_of(code - less);
  }
};

constexpr Counting kFrom0(0), kFromMinus4(4), kFromMinus8(8), kFromMinus16(16), kFromMinus32(32);

/** The values of codes below 32, given as bytes. */
PROMPTLOSS_BF16_INLINE __m512i looked_up(__m512i codes, const uint16_t* values) {
  return _mm512_permutexvar_epi16(codes, _mm512_load_si512(values));
}

PROMPTLOSS_BF16_INLINE __m256i bytes32(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }

/** Of sixteen bytes the lower halves, then the upper ones. */
PROMPTLOSS_BF16_INLINE __m512i low_then_high(const uint8_t* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), mask = _mm_set1_epi8(15);
  return _mm512_cvtepu8_epi16(
      _mm256_set_m128i(_mm_and_si128(_mm_srli_epi16(bytes, 4), mask), _mm_and_si128(bytes, mask)));
}

/** Bits `shift` and on of thirty-two bytes, `mask` of them. */
PROMPTLOSS_BF16_INLINE __m512i bits_at(const uint8_t* from, int shift, int mask) {
  const __m256i moved = _mm256_srl_epi16(bytes32(from), _mm_cvtsi32_si128(shift));
  return _mm512_cvtepu8_epi16(_mm256_and_si256(moved, _mm256_set1_epi8(static_cast<char>(mask))));
}

/** Which of thirty-two bytes have a bit. */
PROMPTLOSS_BF16_INLINE __mmask32 with_bit(const uint8_t* from, int bit) {
  return _mm256_test_epi8_mask(bytes32(from), _mm256_set1_epi8(static_cast<char>(1 << bit)));
}

PROMPTLOSS_BF16_INLINE __m512i plus(__m512i codes, __mmask32 which, int16_t value) {
  return _mm512_mask_add_epi16(codes, which, codes, _mm512_set1_epi16(value));
}

#define PROMPTLOSS_READ PROMPTLOSS_BF16_INLINE Codes read

struct PairsQ4_0 : Q4_0 {
  static constexpr bool kLeast = false;
  PROMPTLOSS_READ(const uint8_t* at, int64_t) const {
    return {looked_up(low_then_high(at + 2), kFromMinus8.values), _mm512_set1_ps(half_at(at)), _mm512_setzero_ps()};
  }
};

struct PairsQ4_1 : Q4_1 {
  static constexpr bool kLeast = true;
  PROMPTLOSS_READ(const uint8_t* at, int64_t) const {
    return {
        looked_up(low_then_high(at + 4), kFrom0.values), _mm512_set1_ps(half_at(at)), _mm512_set1_ps(-half_at(at + 2))};
  }
};

struct PairsQ5_0 : Q5_0 {
  static constexpr bool kLeast = false;
  PROMPTLOSS_READ(const uint8_t* at, int64_t) const {
    const __m512i codes = plus(low_then_high(at + 6), word_at(at + 2), 16);
    return {looked_up(codes, kFromMinus16.values), _mm512_set1_ps(half_at(at)), _mm512_setzero_ps()};
  }
};

struct PairsQ5_1 : Q5_1 {
  static constexpr bool kLeast = true;
  PROMPTLOSS_READ(const uint8_t* at, int64_t) const {
    const __m512i codes = plus(low_then_high(at + 8), word_at(at + 4), 16);
    return {looked_up(codes, kFrom0.values), _mm512_set1_ps(half_at(at)), _mm512_set1_ps(-half_at(at + 2))};
  }
};

struct PairsQ8_0 : Q8_0 {
  static constexpr bool kLeast = false;
  PROMPTLOSS_READ(const uint8_t* at, int64_t) const {
    const auto* bytes = reinterpret_cast<const __m128i*>(at + 2);
    const __m512 low = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(bytes)));
    const __m512 high = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(bytes + 1)));
    return {(__m512i)_mm512_cvtne2ps_pbh(high, low), _mm512_set1_ps(half_at(at)), _mm512_setzero_ps()};
  }
};

struct PairsQ2_K : Q2_K {
  static constexpr bool kLeast = true;
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const float d = half_at(at + 80), m = half_at(at + 82);
    const int first = at[2 * index], second = at[2 * index + 1];
    const __m512i codes = bits_at(at + 16 + (index >> 2) * 32, static_cast<int>(index & 3) * 2, 3);
    return {
        looked_up(codes, kFrom0.values),
        halves_of(d * static_cast<float>(first & 15), d * static_cast<float>(second & 15)),
        halves_of(m * static_cast<float>(first >> 4), m * static_cast<float>(second >> 4))};
  }
};

struct PairsQ3_K : Q3_K {
  static constexpr bool kLeast = false;
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const float d = half_at(at + 108);
    const __m512i two = bits_at(at + 32 + (index >> 2) * 32, static_cast<int>(index & 3) * 2, 3);
    const __m512i codes = plus(two, with_bit(at, static_cast<int>(index)), 4);
    return {looked_up(codes, kFromMinus4.values), halves_of(scale_of(at, d, 2 * index), scale_of(at, d, 2 * index + 1)), _mm512_setzero_ps()};
  }
};

struct PairsQ4_K : Q4_K {
  static constexpr bool kLeast = true;
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const __m512i codes = bits_at(at + 16 + (index >> 1) * 32, static_cast<int>(index & 1) * 4, 15);
    return {
        looked_up(codes, kFrom0.values),
        _mm512_set1_ps(half_at(at) * static_cast<float>(scale_of_eight(at + 4, index))),
        _mm512_set1_ps(half_at(at + 2) * static_cast<float>(least_of_eight(at + 4, index)))};
  }
};

struct PairsQ5_K : Q5_K {
  static constexpr bool kLeast = true;
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const __m512i four = bits_at(at + 48 + (index >> 1) * 32, static_cast<int>(index & 1) * 4, 15);
    const __m512i codes = plus(four, with_bit(at + 16, static_cast<int>(index)), 16);
    return {
        looked_up(codes, kFrom0.values),
        _mm512_set1_ps(half_at(at) * static_cast<float>(scale_of_eight(at + 4, index))),
        _mm512_set1_ps(half_at(at + 2) * static_cast<float>(least_of_eight(at + 4, index)))};
  }
};

struct PairsQ6_K : Q6_K {
  static constexpr bool kLeast = false;
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const float d = half_at(at + 208);
    const int inner = static_cast<int>(index & 3);
    const __m512i low = bits_at(at + (index >> 2) * 64 + (inner & 1) * 32, (inner >> 1) * 4, 15);
    const __m512i high = bits_at(at + 128 + (index >> 2) * 32, inner * 2, 3);
    const __m512i codes = _mm512_or_si512(low, _mm512_slli_epi16(high, 4));
    const __m512i values = _mm512_permutex2var_epi16(
        _mm512_load_si512(kFromMinus32.values), codes, _mm512_load_si512(kFromMinus32.values + 32));
    return {values, halves_of(scale_of(at, d, 2 * index), scale_of(at, d, 2 * index + 1)), _mm512_setzero_ps()};
  }
};

/** IQ4's values in bfloat16. */
struct alignas(64) Iq4Values {
  uint16_t values[32];
  constexpr Iq4Values() : values() {
    for (int code = 0; code < 16; ++code) values[code] = bits_of(kIq4Values[code]);
  }
};

constexpr Iq4Values kIq4Bits;

struct PairsIQ4_NL : IQ4_NL {
  static constexpr bool kLeast = false;
  PROMPTLOSS_READ(const uint8_t* at, int64_t) const {
    return {looked_up(low_then_high(at + 2), kIq4Bits.values), _mm512_set1_ps(half_at(at)), _mm512_setzero_ps()};
  }
};

struct PairsIQ4_XS : IQ4_XS {
  static constexpr bool kLeast = false;
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    return {
        looked_up(low_then_high(at + 8 + index * 16), kIq4Bits.values), _mm512_set1_ps(scale_of(at, index)),
        _mm512_setzero_ps()};
  }
};

/** A codebook in bfloat16. */
template <const PackedCodebook& Book>
const uint16_t* book_bits() {
  static const std::vector<uint16_t> bits = [] {
    std::vector<uint16_t> made;
    for (const float value : unpacked(Book)) made.push_back(bits_of(static_cast<int>(value)));
    return made;
  }();
  return bits.data();
}

/** Four entries of eight, side by side. */
PROMPTLOSS_BF16_INLINE __m512i four_entries(const uint16_t* book, int64_t a, int64_t b, int64_t c, int64_t d) {
  const auto entry = [book](int64_t place) PROMPTLOSS_BF16 {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(book + place * 8));
  };
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(entry(a)), entry(b), 1);
  const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(entry(c)), entry(d), 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/** Codes whose signs a word holds, the first element's in the lowest bit. */
PROMPTLOSS_BF16_INLINE __m512i with_signs(__m512i codes, uint32_t signs) { return plus(codes, signs, INT16_MIN); }

/** Four times seven signs, each with the eighth that makes the number of minuses even. */
PROMPTLOSS_BF16_INLINE uint32_t four_even_signs(uint32_t sevens) {
  // Apart, in the lower seven bits of each byte, and then the parity of each byte into its eighth.
  const uint32_t apart = (sevens & 0x7f) | (sevens & 0x3f80) << 1 | (sevens & 0x1fc000) << 2 | (sevens & 0xfe00000) << 3;
  uint32_t parity = apart ^ (apart >> 4 & 0x0f0f0f0f);
  parity ^= parity >> 2 & 0x33333333;
  parity ^= parity >> 1 & 0x55555555;
  return apart | (parity & 0x01010101) << 7;
}

/** A block with the signs and scales of its eight parts. */
struct OpenedIQ2_XXS {
  const uint8_t* at;
  alignas(64) uint64_t signs[8];
  alignas(32) float scales[8];
};

struct PairsIQ2_XXS : IQ2_XXS {
  static constexpr bool kLeast = false;
  const uint16_t* bits = book_bits<kIq2Xxs>();
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const uint8_t* from = at + 2 + index * 8;
    const uint32_t rest = word_at(from + 4);
    const float scale = half_at(at) * (0.5f + static_cast<float>(rest >> 28)) * 0.25f;
    const __m512i codes = four_entries(bits, from[0], from[1], from[2], from[3]);
    return {with_signs(codes, four_even_signs(rest & 0xfffffff)), _mm512_set1_ps(scale), _mm512_setzero_ps()};
  }
  PROMPTLOSS_READ(const OpenedIQ2_XXS& block, int64_t index) const {
    const uint8_t* from = block.at + 2 + index * 8;
    const __m512i codes = four_entries(bits, from[0], from[1], from[2], from[3]);
    return {
        with_signs(codes, static_cast<uint32_t>(block.signs[index])), _mm512_set1_ps(block.scales[index]),
        _mm512_setzero_ps()};
  }
};

/** What the parts of a block have in common, made ready for all of them at once: of most kinds nothing. */
template <typename Kind>
PROMPTLOSS_BF16_INLINE const uint8_t* opened(const Kind&, const uint8_t* at) {
  return at;
}

PROMPTLOSS_BF16_INLINE OpenedIQ2_XXS opened(const PairsIQ2_XXS&, const uint8_t* at) {
  OpenedIQ2_XXS made;
  made.at = at;
  // A part is a word of entries and a word of signs and scale.
  const __m512i rest = _mm512_srli_epi64(_mm512_loadu_si512(at + 2), 32);
  const auto seven = [&](int place) PROMPTLOSS_BF16 {
    const __m512i mask = _mm512_set1_epi64(INT64_C(0x7f) << 7 * place);
    return _mm512_slli_epi64(_mm512_and_si512(rest, mask), static_cast<unsigned>(place));
  };
  const __m512i apart = _mm512_or_si512(_mm512_or_si512(seven(0), seven(1)), _mm512_or_si512(seven(2), seven(3)));
  // As four_even_signs. What is moved across bytes is masked away in the end.
  __m512i parity = _mm512_xor_si512(apart, _mm512_srli_epi64(apart, 4));
  parity = _mm512_xor_si512(parity, _mm512_srli_epi64(parity, 2));
  parity = _mm512_xor_si512(parity, _mm512_srli_epi64(parity, 1));
  const __m512i eighth = _mm512_slli_epi64(_mm512_and_si512(parity, _mm512_set1_epi64(0x01010101)), 7);
  _mm512_store_si512(made.signs, _mm512_or_si512(apart, eighth));
  const __m256 steps = _mm512_cvtepi64_ps(_mm512_srli_epi64(rest, 28));
  const __m256 quarters = _mm256_mul_ps(_mm256_add_ps(steps, _mm256_set1_ps(0.5f)), _mm256_set1_ps(0.25f));
  _mm256_store_ps(made.scales, _mm256_mul_ps(quarters, _mm256_set1_ps(half_at(at))));
  return made;
}

struct PairsIQ2_XS : IQ2_XS {
  static constexpr bool kLeast = false;
  const uint16_t* bits = book_bits<kIq2Xs>();
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const float d = half_at(at);
    uint32_t q[4], sevens = 0;
    for (int l = 0; l < 4; ++l) {
      q[l] = at[2 + 8 * index + 2 * l] | at[3 + 8 * index + 2 * l] << 8;
      sevens |= (q[l] >> 9) << 7 * l;
    }
    const __m512i codes = four_entries(bits, q[0] & 511, q[1] & 511, q[2] & 511, q[3] & 511);
    return {
        with_signs(codes, four_even_signs(sevens)),
        halves_of(quarter_scale(d, at[66 + index], 0), quarter_scale(d, at[66 + index], 1)), _mm512_setzero_ps()};
  }
};

struct PairsIQ2_S : IQ2_S {
  static constexpr bool kLeast = false;
  const uint16_t* bits = book_bits<kIq2S>();
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const float d = half_at(at);
    const uint8_t* low = at + 2 + 4 * index;
    const int high = at[66 + index];
    const __m512i codes = four_entries(
        bits, low[0] | (high & 3) << 8, low[1] | (high >> 2 & 3) << 8, low[2] | (high >> 4 & 3) << 8,
        low[3] | (high >> 6 & 3) << 8);
    return {
        with_signs(codes, word_at(at + 34 + 4 * index)),
        halves_of(quarter_scale(d, at[74 + index], 0), quarter_scale(d, at[74 + index], 1)), _mm512_setzero_ps()};
  }
};

/** Eight entries of four, side by side. */
PROMPTLOSS_BF16_INLINE __m512i eight_entries(const uint16_t* book, __m256i places) {
  return _mm512_i32gather_epi64(places, reinterpret_cast<const long long*>(book), 8);
}

struct PairsIQ3_XXS : IQ3_XXS {
  static constexpr bool kLeast = false;
  const uint16_t* bits = book_bits<kIq3Xxs>();
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const uint32_t rest = word_at(at + 66 + 4 * index);
    const float scale = half_at(at) * (0.5f + static_cast<float>(rest >> 28)) * 0.5f;
    const __m128i places = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at + 2 + index * 8));
    const __m512i codes = eight_entries(bits, _mm256_cvtepu8_epi32(places));
    return {with_signs(codes, four_even_signs(rest & 0xfffffff)), _mm512_set1_ps(scale), _mm512_setzero_ps()};
  }
};

struct PairsIQ3_S : IQ3_S {
  static constexpr bool kLeast = false;
  const uint16_t* bits = book_bits<kIq3S>();
  PROMPTLOSS_READ(const uint8_t* at, int64_t index) const {
    const float scale = half_at(at) * static_cast<float>(1 + 2 * (at[106 + (index >> 1)] >> (index & 1) * 4 & 15));
    __m256i places = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at + 2 + index * 8)));
    places = _mm256_mask_add_epi32(places, at[66 + index], places, _mm256_set1_epi32(256));
    return {with_signs(eight_entries(bits, places), word_at(at + 74 + 4 * index)), _mm512_set1_ps(scale), _mm512_setzero_ps()};
  }
};

#undef PROMPTLOSS_READ

/** Both elements of each word, as floats. */
PROMPTLOSS_BF16_INLINE __m512 evens(__m512i words) { return (__m512)_mm512_slli_epi32(words, 16); }
PROMPTLOSS_BF16_INLINE __m512 odds(__m512i words) { return (__m512)_mm512_and_si512(words, _mm512_set1_epi32(~0xffff)); }

/** The two of each word, rounded. */
PROMPTLOSS_BF16_INLINE void put_words(__m512 even, __m512 odd, BFloat16* to) {
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd));
  _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}

template <typename Kind>
PROMPTLOSS_BF16 void expand_pairs(const uint8_t* row, int64_t, int64_t first, int64_t count, BFloat16* to) {
  constexpr int64_t parts = Kind::kElements / kStretch;
  const Kind kind{};
  for (int64_t i = first; i < first + count; ++i, to += kStretch) {
    const Codes read = kind.read(row + i / parts * Kind::kBytes, i % parts);
    const __m512 even = _mm512_mul_ps(evens(read.codes), read.scale), odd = _mm512_mul_ps(odds(read.codes), read.scale);
    if constexpr (Kind::kLeast)
      put_words(_mm512_sub_ps(even, read.least), _mm512_sub_ps(odd, read.least), to);
    else
      put_words(even, odd, to);
  }
}

/** What a row of the weight, read stretch after stretch, adds to the sums of each row. */
template <typename Kind, int ROWS>
PROMPTLOSS_BF16_INLINE void one_weight(const Kind& kind, const BlockRows& of, const uint8_t* weight, float* sums, int64_t apart) {
  constexpr int64_t parts = Kind::kElements / kStretch;
  const int64_t depth = of.weight.columns, stretches = depth / kStretch;
  // Two of each, so that no sum waits for the one before.
  __m512 totals[2][ROWS];
  for (int r = 0; r < ROWS; ++r) totals[0][r] = totals[1][r] = _mm512_setzero_ps();
  const auto add = [&](const auto& block, int64_t i, int64_t part, __m512* total) PROMPTLOSS_BF16 {
    const Codes read = kind.read(block, part);
    for (int r = 0; r < ROWS; ++r) {
      const auto* row = reinterpret_cast<const Bits*>(of.rows) + r * depth + i * kStretch;
      const __m512 products = _mm512_dpbf16_ps(_mm512_setzero_ps(), (__m512bh)read.codes, (__m512bh)_mm512_loadu_si512(row));
      total[r] = _mm512_fmadd_ps(read.scale, products, total[r]);
      if constexpr (Kind::kLeast) {
        const float* pairs = of.pair_sums + (r * depth + i * kStretch) / 2;
        total[r] = _mm512_fnmadd_ps(read.least, _mm512_loadu_ps(pairs), total[r]);
      }
    }
  };
  if constexpr (parts == 1) {
    for (int64_t i = 0; i < stretches; ++i, weight += Kind::kBytes) add(weight, i, 0, totals[i & 1]);
  } else {
    for (int64_t i = 0; i < stretches; i += parts, weight += Kind::kBytes) {
      __builtin_prefetch(weight + 1024);
      const auto block = opened(kind, weight);
#pragma GCC unroll 8
      for (int64_t part = 0; part < parts; ++part) add(block, i + part, part, totals[part & 1]);
    }
  }
  for (int r = 0; r < ROWS; ++r) sums[r * apart] = _mm512_reduce_add_ps(_mm512_add_ps(totals[0][r], totals[1][r]));
}

template <typename Kind, int ROWS>
PROMPTLOSS_BF16 void all_weights(const BlockRows& of, int64_t first, int64_t last, float* sums) {
  const Kind kind{};
  for (int64_t row = first; row < last; ++row)
    one_weight<Kind, ROWS>(kind, of, of.weight.row(row), sums + row - first, last - first);
}

template <typename Kind>
void multiply_pairs(const BlockRows& of, int64_t first, int64_t last, float* sums) {
  switch (of.count) {
    case 1: return all_weights<Kind, 1>(of, first, last, sums);
    case 2: return all_weights<Kind, 2>(of, first, last, sums);
    case 3: return all_weights<Kind, 3>(of, first, last, sums);
    default: return all_weights<Kind, 4>(of, first, last, sums);
  }
}

/** NF4's codes of a stretch, one in each half of a word. */
PROMPTLOSS_BF16_INLINE __m512i normal_float_codes(const uint8_t* row, int64_t stretch) {
  const auto* from = reinterpret_cast<const __m128i*>(row + stretch * (kStretch / 2));
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(from));
  return _mm512_or_si512(
      _mm512_srli_epi32(bytes, 4), _mm512_slli_epi32(_mm512_and_si512(bytes, _mm512_set1_epi32(15)), 16));
}

PROMPTLOSS_BF16 void expand_normal_floats(const uint8_t* row, int64_t columns, int64_t first, int64_t count, BFloat16* to) {
  const NormalFloatRow rows{};
  const __m512 values = _mm512_loadu_ps(kNormalFloat);
  for (int64_t i = first; i < first + count; ++i, to += kStretch) {
    const __m512 most = _mm512_set1_ps(NormalFloatRow::scale(rows.map, row, columns, i * kStretch / kNormalBlock));
    const __m512i codes = normal_float_codes(row, i);
    // A place in a table of sixteen is its four lowest bits.
    put_words(
        _mm512_mul_ps(_mm512_permutexvar_ps(codes, values), most),
        _mm512_mul_ps(_mm512_permutexvar_ps(_mm512_srli_epi32(codes, 16), values), most), to);
  }
}

template <int ROWS>
PROMPTLOSS_BF16 void normal_float_weights(const BlockRows& of, int64_t first, int64_t last, float* sums) {
  const NormalFloatRow rows{};
  const int64_t columns = of.weight.columns;
  // Rounded as what is expanded is, before the scale and not after it.
  const __m256i rounded = (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(kNormalFloat));
  const __m512i values = _mm512_castsi256_si512(rounded);
  for (int64_t weight = first; weight < last; ++weight) {
    const uint8_t* row = of.weight.row(weight);
    __m512 totals[ROWS];
    for (auto& total : totals) total = _mm512_setzero_ps();
    for (int64_t block = 0; block < columns / kNormalBlock; ++block) {
      const __m512 most = _mm512_set1_ps(NormalFloatRow::scale(rows.map, row, columns, block));
      const __m512bh low = (__m512bh)_mm512_permutexvar_epi16(normal_float_codes(row, 2 * block), values);
      const __m512bh high = (__m512bh)_mm512_permutexvar_epi16(normal_float_codes(row, 2 * block + 1), values);
      for (int r = 0; r < ROWS; ++r) {
        const auto* from = reinterpret_cast<const Bits*>(of.rows) + r * columns + block * kNormalBlock;
        __m512 products = _mm512_dpbf16_ps(_mm512_setzero_ps(), low, (__m512bh)_mm512_loadu_si512(from));
        products = _mm512_dpbf16_ps(products, high, (__m512bh)_mm512_loadu_si512(from + kStretch));
        totals[r] = _mm512_fmadd_ps(most, products, totals[r]);
      }
    }
    for (int r = 0; r < ROWS; ++r) sums[r * (last - first) + weight - first] = _mm512_reduce_add_ps(totals[r]);
  }
}

void multiply_normal_floats(const BlockRows& of, int64_t first, int64_t last, float* sums) {
  switch (of.count) {
    case 1: return normal_float_weights<1>(of, first, last, sums);
    case 2: return normal_float_weights<2>(of, first, last, sums);
    case 3: return normal_float_weights<3>(of, first, last, sums);
    default: return normal_float_weights<4>(of, first, last, sums);
  }
}

PROMPTLOSS_BF16 void add_pairs(const BFloat16* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i += 2 * kLanes) {
    const __m512i words = _mm512_loadu_si512(from + i);
    _mm512_storeu_ps(to + i / 2, _mm512_add_ps(evens(words), odds(words)));
  }
}

template <typename Kind>
constexpr BlockPairKernels kernels_of(const char* name) {
  return {name, expand_pairs<Kind>, multiply_pairs<Kind>, Kind::kLeast};
}

constexpr BlockPairKernels kPairKernels[] = {
    kernels_of<PairsQ4_0>("Q4_0"),
    kernels_of<PairsQ4_1>("Q4_1"),
    kernels_of<PairsQ5_0>("Q5_0"),
    kernels_of<PairsQ5_1>("Q5_1"),
    kernels_of<PairsQ8_0>("Q8_0"),
    kernels_of<PairsQ2_K>("Q2_K"),
    kernels_of<PairsQ3_K>("Q3_K"),
    kernels_of<PairsQ4_K>("Q4_K"),
    kernels_of<PairsQ5_K>("Q5_K"),
    kernels_of<PairsQ6_K>("Q6_K"),
    kernels_of<PairsIQ4_NL>("IQ4_NL"),
    kernels_of<PairsIQ4_XS>("IQ4_XS"),
    kernels_of<PairsIQ2_XXS>("IQ2_XXS"),
    kernels_of<PairsIQ2_XS>("IQ2_XS"),
    kernels_of<PairsIQ2_S>("IQ2_S"),
    kernels_of<PairsIQ3_XXS>("IQ3_XXS"),
    kernels_of<PairsIQ3_S>("IQ3_S"),
    {"NF4", expand_normal_floats, multiply_normal_floats, false}};

}  // namespace

const BlockPairKernels* block_pair_kernels(const char* name) {
  if (!has_vectors()) return nullptr;
  for (const auto& kernels : kPairKernels)
    if (std::strcmp(kernels.name, name) == 0) return &kernels;
  return nullptr;
}

void sums_of_pairs(const BFloat16* from, int64_t count, float* to) { add_pairs(from, count, to); }

}  // namespace promptloss

#else

namespace promptloss {

const BlockPairKernels* block_pair_kernels(const char*) { return nullptr; }

void sums_of_pairs(const BFloat16* from, int64_t count, float* to) {
  for (int64_t i = 0; i < count; i += 2) to[i / 2] = to_float(from[i]) + to_float(from[i + 1]);
}

}  // namespace promptloss

#endif
