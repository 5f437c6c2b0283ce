// How each kind of block expands: a stretch of thirty-two elements at a time, in float32. Products of scales and codes are
// exact in float32; only sums are rounded. By the layouts of ggml-common.h; twins in plain TypeScript: promptloss'
// models/gguf/blocks/dequantize.ts, and reference/normal-float.ts for NF4.
#pragma once

#include <vector>

#include "block_codebooks.h"
#include "blocks.h"

namespace promptloss {

/** The float32 of a float16, given as two bytes. */
PROMPTLOSS_INLINE float half_at(const uint8_t* from) {
  const uint32_t bits = from[0] | from[1] << 8;
  const uint32_t magnitude = (bits & 0x7fffu) << 13;
  float value;
  std::memcpy(&value, &magnitude, sizeof(value));
  value *= 0x1p112f;
  uint32_t result;
  std::memcpy(&result, &value, sizeof(result));
  if (magnitude >= 0x7c00u << 13) result = magnitude | 0x7f800000u;
  result |= (bits & 0x8000u) << 16;
  std::memcpy(&value, &result, sizeof(value));
  return value;
}

PROMPTLOSS_INLINE uint32_t word_at(const uint8_t* from) {
  uint32_t value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

PROMPTLOSS_INLINE float float_at(const uint8_t* from) {
  float value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

/** A kind whose rows are blocks one after the other; `Block` expands a part of one. */
template <typename Block>
struct Row {
  const Block block;

  PROMPTLOSS_INLINE void put(const Row& self, const uint8_t* row, int64_t, int64_t stretch, float* to) {
    constexpr int64_t parts = Block::kElements / kStretch;
    self.block.part(row + stretch / parts * Block::kBytes, stretch % parts, to);
  }
};

#define PROMPTLOSS_PART inline __attribute__((always_inline)) void part
#define PROMPTLOSS_SCALE static inline __attribute__((always_inline)) float scale_of

struct Q4_0 {
  static constexpr int64_t kElements = 32, kBytes = 18;
  PROMPTLOSS_PART(const uint8_t* at, int64_t, float* to) const {
    const float d = half_at(at);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * static_cast<float>((at[2 + j] & 15) - 8);
      to[16 + j] = d * static_cast<float>((at[2 + j] >> 4) - 8);
    }
  }
};

struct Q4_1 {
  static constexpr int64_t kElements = 32, kBytes = 20;
  PROMPTLOSS_PART(const uint8_t* at, int64_t, float* to) const {
    const float d = half_at(at), m = half_at(at + 2);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * static_cast<float>(at[4 + j] & 15) + m;
      to[16 + j] = d * static_cast<float>(at[4 + j] >> 4) + m;
    }
  }
};

struct Q5_0 {
  static constexpr int64_t kElements = 32, kBytes = 22;
  PROMPTLOSS_PART(const uint8_t* at, int64_t, float* to) const {
    const float d = half_at(at);
    const uint32_t high = word_at(at + 2);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * static_cast<float>(static_cast<int>((at[6 + j] & 15) | (high >> j & 1) << 4) - 16);
      to[16 + j] = d * static_cast<float>(static_cast<int>((at[6 + j] >> 4) | (high >> (j + 16) & 1) << 4) - 16);
    }
  }
};

struct Q5_1 {
  static constexpr int64_t kElements = 32, kBytes = 24;
  PROMPTLOSS_PART(const uint8_t* at, int64_t, float* to) const {
    const float d = half_at(at), m = half_at(at + 2);
    const uint32_t high = word_at(at + 4);
    for (int j = 0; j < 16; ++j) {
      to[j] = d * static_cast<float>((at[8 + j] & 15) | (high >> j & 1) << 4) + m;
      to[16 + j] = d * static_cast<float>((at[8 + j] >> 4) | (high >> (j + 16) & 1) << 4) + m;
    }
  }
};

struct Q8_0 {
  static constexpr int64_t kElements = 32, kBytes = 34;
  PROMPTLOSS_PART(const uint8_t* at, int64_t, float* to) const {
    const float d = half_at(at);
    for (int j = 0; j < 32; ++j) to[j] = d * static_cast<float>(static_cast<int8_t>(at[2 + j]));
  }
};

/** Two bits an element: of 32 bytes, the lowest bits of all, then the next. Scale and minimum for every 16 elements. */
struct Q2_K {
  static constexpr int64_t kElements = 256, kBytes = 84;
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float d = half_at(at + 80), m = half_at(at + 82);
    const int shift = static_cast<int>(index & 3) * 2;
    for (int64_t i = 0; i < 2; ++i, to += 16) {
      const uint8_t scale = at[2 * index + i];
      const float low = d * static_cast<float>(scale & 15), least = m * static_cast<float>(scale >> 4);
      const uint8_t* from = at + 16 + (index >> 2) * 32 + i * 16;
      for (int j = 0; j < 16; ++j) to[j] = low * static_cast<float>(from[j] >> shift & 3) - least;
    }
  }
};

/** As Q2_K with a third bit, which is 0 for the four lowest values, and scales of six bits. */
struct Q3_K {
  static constexpr int64_t kElements = 256, kBytes = 110;
  /** Of a part of sixteen. */
  PROMPTLOSS_SCALE(const uint8_t* at, float d, int64_t part) {
    const int low = part < 8 ? at[96 + part] & 15 : at[88 + part] >> 4;
    const int high = at[104 + (part & 3)] >> (part >> 2) * 2 & 3;
    return d * static_cast<float>((low | high << 4) - 32);
  }
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float d = half_at(at + 108);
    const int shift = static_cast<int>(index & 3) * 2, bit = static_cast<int>(index);
    for (int64_t i = 0; i < 2; ++i, to += 16) {
      const float scale = scale_of(at, d, 2 * index + i);
      const uint8_t *from = at + 32 + (index >> 2) * 32 + i * 16, *mask = at + i * 16;
      for (int j = 0; j < 16; ++j)
        to[j] = scale * static_cast<float>((from[j] >> shift & 3) - (4 - (mask[j] >> bit & 1) * 4));
    }
  }
};

/** Scale and minimum `i` of eight, six bits each in twelve bytes. */
PROMPTLOSS_INLINE int scale_of_eight(const uint8_t* at, int64_t i) {
  return i < 4 ? at[i] & 63 : (at[4 + i] & 15) | (at[i - 4] >> 6) << 4;
}

PROMPTLOSS_INLINE int least_of_eight(const uint8_t* at, int64_t i) {
  return i < 4 ? at[4 + i] & 63 : (at[4 + i] >> 4) | (at[i] >> 6) << 4;
}

/** Four bits an element: of 32 bytes the lower halves, then the upper ones. Scale and minimum for every 32 elements. */
struct Q4_K {
  static constexpr int64_t kElements = 256, kBytes = 144;
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float scale = half_at(at) * static_cast<float>(scale_of_eight(at + 4, index));
    const float least = half_at(at + 2) * static_cast<float>(least_of_eight(at + 4, index));
    const int shift = static_cast<int>(index & 1) * 4;
    const uint8_t* from = at + 16 + (index >> 1) * 32;
    for (int j = 0; j < 32; ++j) to[j] = scale * static_cast<float>(from[j] >> shift & 15) - least;
  }
};

struct Q5_K {
  static constexpr int64_t kElements = 256, kBytes = 176;
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float scale = half_at(at) * static_cast<float>(scale_of_eight(at + 4, index));
    const float least = half_at(at + 2) * static_cast<float>(least_of_eight(at + 4, index));
    const int shift = static_cast<int>(index & 1) * 4, bit = static_cast<int>(index);
    const uint8_t *from = at + 48 + (index >> 1) * 32, *high = at + 16;
    for (int j = 0; j < 32; ++j)
      to[j] = scale * static_cast<float>((from[j] >> shift & 15) | (high[j] >> bit & 1) << 4) - least;
  }
};

/** Six bits an element, a scale of eight bits for every 16. */
struct Q6_K {
  static constexpr int64_t kElements = 256, kBytes = 210;
  /** Of a part of sixteen. */
  PROMPTLOSS_SCALE(const uint8_t* at, float d, int64_t part) {
    return d * static_cast<float>(static_cast<int8_t>(at[192 + part]));
  }
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float d = half_at(at + 208);
    const int64_t inner = index & 3;
    const int low_shift = static_cast<int>(inner >> 1) * 4, high_shift = static_cast<int>(inner) * 2;
    const uint8_t *low = at + (index >> 2) * 64 + (inner & 1) * 32, *high = at + 128 + (index >> 2) * 32;
    for (int64_t i = 0; i < 2; ++i) {
      const float scale = scale_of(at, d, 2 * index + i);
      for (int64_t j = 16 * i; j < 16 * i + 16; ++j)
        to[j] = scale * static_cast<float>(((low[j] >> low_shift & 15) | (high[j] >> high_shift & 3) << 4) - 32);
    }
  }
};

/** The sixteen values of IQ4. */
constexpr int8_t kIq4Values[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

PROMPTLOSS_INLINE void put_iq4(const uint8_t* from, float scale, float* to) {
  for (int j = 0; j < 16; ++j) {
    to[j] = scale * static_cast<float>(kIq4Values[from[j] & 15]);
    to[16 + j] = scale * static_cast<float>(kIq4Values[from[j] >> 4]);
  }
}

struct IQ4_NL {
  static constexpr int64_t kElements = 32, kBytes = 18;
  PROMPTLOSS_PART(const uint8_t* at, int64_t, float* to) const { put_iq4(at + 2, half_at(at), to); }
};

struct IQ4_XS {
  static constexpr int64_t kElements = 256, kBytes = 136;
  /** Of a part of thirty-two. */
  PROMPTLOSS_SCALE(const uint8_t* at, int64_t part) {
    const int high = at[2] | at[3] << 8, low = at[4 + (part >> 1)] >> (part & 1) * 4 & 15;
    return half_at(at) * static_cast<float>((low | (high >> 2 * part & 3) << 4) - 32);
  }
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    put_iq4(at + 8 + index * 16, scale_of(at, index), to);
  }
};

/** A codebook's elements as floats, entries one after the other. */
inline std::vector<float> unpacked(const PackedCodebook& book) {
  std::vector<float> values(static_cast<size_t>(book.elements));
  const int per = 32 / book.bits;
  for (int64_t i = 0; i < book.elements; ++i)
    values[static_cast<size_t>(i)] =
        book.values[book.words[i / per] >> book.bits * static_cast<int>(i % per) & ((1u << book.bits) - 1)];
  return values;
}

/** Each codebook is unpacked when a kind first needs it. */
template <const PackedCodebook& Book>
const float* codebook() {
  static const std::vector<float> values = unpacked(Book);
  return values.data();
}

/** Seven signs and an eighth that makes the number of minuses even. */
PROMPTLOSS_INLINE uint32_t even_signs(uint32_t seven) {
  return seven | static_cast<uint32_t>(__builtin_parity(seven)) << 7;
}

/** Vectors of as many elements as a codebook's entry has, and the places of these. */
template <int COUNT>
struct EntryVectors;

template <>
struct EntryVectors<4> {
  typedef float Values __attribute__((vector_size(16)));
  typedef uint32_t Bits __attribute__((vector_size(16)));
  static constexpr Bits kPlaces = {0, 1, 2, 3};
};

template <>
struct EntryVectors<8> {
  typedef float Values __attribute__((vector_size(32)));
  typedef uint32_t Bits __attribute__((vector_size(32)));
  static constexpr Bits kPlaces = {0, 1, 2, 3, 4, 5, 6, 7};
};

/** `count` elements of a codebook's entry, times a scale, with signs, the lowest bit first. */
template <int COUNT>
PROMPTLOSS_INLINE void put_entry(const float* entry, float scale, uint32_t signs, float* to) {
  using Bits = typename EntryVectors<COUNT>::Bits;
  typename EntryVectors<COUNT>::Values values;
  std::memcpy(&values, entry, sizeof(values));
  values *= scale;
  const Bits result = (Bits)values ^ ((signs - Bits{}) >> EntryVectors<COUNT>::kPlaces) << 31;
  std::memcpy(to, &result, sizeof(result));
}

/** For every 32 elements: four entries of eight elements, four times seven signs, and a scale of four bits. */
struct IQ2_XXS {
  static constexpr int64_t kElements = 256, kBytes = 66;
  const float* book = codebook<kIq2Xxs>();
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const uint8_t* from = at + 2 + index * 8;
    const uint32_t rest = word_at(from + 4);
    const float scale = half_at(at) * (0.5f + static_cast<float>(rest >> 28)) * 0.25f;
    for (int l = 0; l < 4; ++l) put_entry<8>(book + from[l] * 8, scale, even_signs(rest >> 7 * l & 127), to + 8 * l);
  }
};

/** The scale of four bits at a half of a byte. */
PROMPTLOSS_INLINE float quarter_scale(float d, uint8_t byte, int64_t half) {
  return d * (0.5f + static_cast<float>(byte >> half * 4 & 15)) * 0.25f;
}

struct IQ2_XS {
  static constexpr int64_t kElements = 256, kBytes = 74;
  const float* book = codebook<kIq2Xs>();
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float d = half_at(at);
    for (int64_t l = 0; l < 4; ++l, to += 8) {
      const int64_t i = 4 * index + l;
      const uint32_t q = at[2 + 2 * i] | at[3 + 2 * i] << 8;
      put_entry<8>(book + (q & 511) * 8, quarter_scale(d, at[66 + index], l >> 1), even_signs(q >> 9), to);
    }
  }
};

struct IQ2_S {
  static constexpr int64_t kElements = 256, kBytes = 82;
  const float* book = codebook<kIq2S>();
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float d = half_at(at);
    for (int64_t l = 0; l < 4; ++l, to += 8) {
      const int64_t i = 4 * index + l;
      const int entry = at[2 + i] | (at[66 + index] >> 2 * l & 3) << 8;
      put_entry<8>(book + entry * 8, quarter_scale(d, at[74 + index], l >> 1), at[34 + i], to);
    }
  }
};

struct IQ3_XXS {
  static constexpr int64_t kElements = 256, kBytes = 98;
  const float* book = codebook<kIq3Xxs>();
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const uint32_t rest = word_at(at + 66 + 4 * index);
    const float scale = half_at(at) * (0.5f + static_cast<float>(rest >> 28)) * 0.5f;
    for (int l = 0; l < 8; ++l)
      put_entry<4>(
          book + at[2 + index * 8 + l] * 4, scale, even_signs(rest >> 7 * (l >> 1) & 127) >> (l & 1) * 4, to + 4 * l);
  }
};

struct IQ3_S {
  static constexpr int64_t kElements = 256, kBytes = 110;
  const float* book = codebook<kIq3S>();
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const float d = half_at(at);
    const float scale = d * static_cast<float>(1 + 2 * (at[106 + (index >> 1)] >> (index & 1) * 4 & 15));
    for (int64_t l = 0; l < 8; ++l, to += 4) {
      const int64_t i = 8 * index + l;
      const int entry = at[2 + i] | (at[66 + index] >> l & 1) << 8;
      put_entry<4>(book + entry * 4, scale, at[74 + (i >> 1)] >> (l & 1) * 4, to);
    }
  }
};

/** What -1, 0 and 1 are moved by in IQ1. */
constexpr float kIq1Delta = 0.125f;

PROMPTLOSS_INLINE void put_iq1(const float* entry, float scale, bool less, float* to) {
  const float delta = less ? -kIq1Delta : kIq1Delta;
  for (int j = 0; j < 8; ++j) to[j] = scale * (entry[j] + delta);
}

struct IQ1_S {
  static constexpr int64_t kElements = 256, kBytes = 50;
  const float* book = codebook<kIq1>();
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const int high = at[34 + 2 * index] | at[35 + 2 * index] << 8;
    const float scale = half_at(at) * static_cast<float>(2 * (high >> 12 & 7) + 1);
    for (int64_t l = 0; l < 4; ++l, to += 8)
      put_iq1(book + (at[2 + 4 * index + l] | (high >> 3 * l & 7) << 8) * 8, scale, (high & 0x8000) != 0, to);
  }
};

/** Its float16 lies in the upper four bits of the four numbers that hold the scales. */
struct IQ1_M {
  static constexpr int64_t kElements = 256, kBytes = 56;
  const float* book = codebook<kIq1>();
  PROMPTLOSS_PART(const uint8_t* at, int64_t index, float* to) const {
    const uint8_t bits[] = {
        static_cast<uint8_t>(at[49] >> 4 | (at[51] & 0xf0)), static_cast<uint8_t>(at[53] >> 4 | (at[55] & 0xf0))};
    const float d = half_at(bits);
    for (int64_t l = 0; l < 4; ++l, to += 8) {
      const int64_t i = 4 * index + l, part = i >> 1;
      const int scales = at[48 + 2 * (part >> 2)] | at[49 + 2 * (part >> 2)] << 8;
      const int high = at[32 + part] >> 4 * (i & 1);
      put_iq1(
          book + (at[i] | (high & 7) << 8) * 8, d * static_cast<float>(2 * (scales >> 3 * (part & 3) & 7) + 1),
          (high & 8) != 0, to);
    }
  }
};

/** A row of NF4, by the layout in blocks.h. */
struct NormalFloatRow {
  const float* map = dynamic_map();

  /** The largest magnitude of a block. The product is exact in double, so that it is rounded once on every processor. */
  PROMPTLOSS_INLINE float scale(const float* map, const uint8_t* row, int64_t columns, int64_t block) {
    const int64_t blocks = columns / kNormalBlock, groups = (blocks + kScaleGroup - 1) / kScaleGroup;
    const uint8_t *codes = row + columns / 2, *group = codes + blocks;
    const double most = float_at(group + 4 * (block / kScaleGroup)), offset = float_at(group + 4 * groups);
    return static_cast<float>(map[codes[block]] * most + offset);
  }

  PROMPTLOSS_INLINE void put(const NormalFloatRow& self, const uint8_t* row, int64_t columns, int64_t stretch, float* to) {
    const float most = scale(self.map, row, columns, stretch * kStretch / kNormalBlock);
    const uint8_t* from = row + stretch * (kStretch / 2);
    for (int j = 0; j < kStretch / 2; ++j) {
      to[2 * j] = kNormalFloat[from[j] >> 4] * most;
      to[2 * j + 1] = kNormalFloat[from[j] & 15] * most;
    }
  }
};

#undef PROMPTLOSS_PART
#undef PROMPTLOSS_SCALE

}  // namespace promptloss
