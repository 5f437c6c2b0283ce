// few_rows.h's products in bfloat16 by instructions that multiply pairs. Up to four rows are multiplied with each row of the
// weight in turn, along the depth. More stand side by side, sixteen in a vector, and the weight's words go to all of them.
#include "few_rows.h"

// Older compilers do not know these instructions.
#if defined(__x86_64__) && (__GNUC__ >= 11 || __clang_major__ >= 11)
#ifndef __clang__
// GCC takes the undefined lanes in its own intrinsics for a mistake.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "products_pack.h"
#include "workspace.h"

namespace promptloss {
namespace {

/** Rows of the weight at a time. */
constexpr int64_t kStripe = 16;
/** Rows that are taken one after another. */
constexpr int64_t kSingleRows = 4;

const Bits* bits(const BFloat16* from) { return reinterpret_cast<const Bits*>(from); }

/** The sums of sixteen vectors, in their order. Overwrites them. */
PROMPTLOSS_BF16_INLINE __m512 sums_of(__m512* v) {
  // Half of the vectors' parts are added to the other half, four times; a vector's place, read backwards, is its sum's.
  for (int i = 0; i < 8; ++i)
    v[i] = _mm512_add_ps(_mm512_shuffle_f32x4(v[i], v[i + 8], 0x44), _mm512_shuffle_f32x4(v[i], v[i + 8], 0xee));
  for (int i = 0; i < 4; ++i)
    v[i] = _mm512_add_ps(_mm512_shuffle_f32x4(v[i], v[i + 4], 0x88), _mm512_shuffle_f32x4(v[i], v[i + 4], 0xdd));
  for (int i = 0; i < 2; ++i)
    v[i] = _mm512_add_ps(_mm512_unpacklo_ps(v[i], v[i + 2]), _mm512_unpackhi_ps(v[i], v[i + 2]));
  return _mm512_add_ps(_mm512_shuffle_ps(v[0], v[1], 0x44), _mm512_shuffle_ps(v[0], v[1], 0xee));
}

/** Where `sums_of` takes the vector from whose sum stands at a place. */
constexpr int kPlaces[] = {0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15};

/** Products of one row of the weight and one row, in sixteen parts. */
PROMPTLOSS_BF16_INLINE __m512 along_depth(const Bits* weight, const Bits* row, int64_t depth) {
  __m512 sum = _mm512_setzero_ps();
  int64_t k = 0;
  for (; k + 32 <= depth; k += 32)
    sum = _mm512_dpbf16_ps(sum, (__m512bh)_mm512_loadu_si512(weight + k), (__m512bh)_mm512_loadu_si512(row + k));
  if (k == depth) return sum;
  return _mm512_dpbf16_ps(sum, (__m512bh)read_words(weight + k, depth - k), (__m512bh)read_words(row + k, depth - k));
}

/** One row by the weight's rows `first` to `last`, at most sixteen. Each is read from end to end before the next. */
PROMPTLOSS_BF16_INLINE void one_row(const FewRows<BFloat16>& of, int64_t row, int64_t first, int64_t last, float* sums) {
  __m512 products[kStripe];
#pragma GCC unroll 16
  for (int w = 0; w < kStripe; ++w)
    products[kPlaces[w]] = first + w < last ? along_depth(bits(of.weight) + (first + w) * of.step, bits(of.rows) + row * of.depth, of.depth)
                                            : _mm512_setzero_ps();
  _mm512_mask_storeu_ps(sums, first16(last - first), sums_of(products));
}

/** Eight rows of the weight by up to sixteen rows: a vector each. `words` [pairs][16] are the rows', two elements each. */
PROMPTLOSS_BF16_INLINE void side_by_side(
    const Bits* const* weights, const int32_t* words, int64_t pairs, bool odd, int64_t ahead, __m512* sums) {
  for (int w = 0; w < 8; ++w) sums[w] = _mm512_setzero_ps();
  const int64_t whole = odd ? pairs - 1 : pairs;
  const auto add = [&](int64_t pair, const auto& word_of) PROMPTLOSS_BF16 {
    const __m512bh rows = (__m512bh)_mm512_loadu_si512(words + pair * 16);
#pragma GCC unroll 8
    for (int w = 0; w < 8; ++w) sums[w] = _mm512_dpbf16_ps(sums[w], (__m512bh)_mm512_set1_epi32(word_of(weights[w])), rows);
  };
  for (int64_t pair = 0; pair < whole; ++pair) {
    if (pair % 16 == 0)
      for (int w = 0; w < 8; ++w) __builtin_prefetch(weights[w] + 2 * pair + ahead);
    add(pair, [pair](const Bits* from) {
      int32_t word;
      std::memcpy(&word, from + 2 * pair, sizeof(word));
      return word;
    });
  }
  if (odd) add(whole, [whole](const Bits* from) { return static_cast<int32_t>(from[2 * whole]); });
}

/** All rows by the weight's rows `first` to `last`, at most sixteen. */
PROMPTLOSS_BF16_INLINE void many_rows(
    const FewRows<BFloat16>& of, const int32_t* words, int64_t first, int64_t last, float* sums, int64_t apart) {
  const Bits* weights[kStripe];
  // What does not exist is read from the last row, and not written.
  for (int64_t w = 0; w < kStripe; ++w) weights[w] = bits(of.weight) + std::min(first + w, last - 1) * of.step;
  const int64_t pairs = (of.depth + 1) / 2;
  for (int64_t row = 0; row < of.count; row += 16, words += pairs * 16) {
    __m512 found[kStripe];
    const int64_t ahead = row == 0 ? 8 * of.step : 0;
    side_by_side(weights, words, pairs, of.depth % 2 == 1, ahead, found);
    side_by_side(weights + 8, words, pairs, of.depth % 2 == 1, ahead, found + 8);
    transpose(reinterpret_cast<__m512i*>(found));
    for (int64_t r = 0; r < std::min<int64_t>(16, of.count - row); ++r)
      _mm512_mask_storeu_ps(sums + (row + r) * apart, first16(last - first), found[r]);
  }
}

/** The rows' words: [sixteen rows][pairs][16]. */
PROMPTLOSS_BF16 void pack(const FewRows<BFloat16>& of, int32_t* to) {
  for (int64_t row = 0; row < of.count; row += 16)
    pack_strip(Source<Bits>{bits(of.rows), of.depth, 1}, {row, std::min<int64_t>(16, of.count - row), 0, of.depth},
               [&](int64_t pair, __m512i words) PROMPTLOSS_BF16 {
                 _mm512_storeu_si512(to + (row / 16 * ((of.depth + 1) / 2) + pair) * 16, words);
               });
}

/** Words for the rows side by side. */
size_t words_of(const FewRows<BFloat16>& of) {
  return static_cast<size_t>((of.count + 15) / 16 * ((of.depth + 1) / 2) * 16);
}

PROMPTLOSS_BF16 void multiply_with(const FewRows<BFloat16>& of, int64_t first, int64_t last, int32_t* words, float* sums) {
  const bool single = of.count <= kSingleRows;
  if (!single) pack(of, words);
  for (int64_t weight = first; weight < last; weight += kStripe) {
    const int64_t end = std::min(last, weight + kStripe);
    float* to = sums + weight - first;
    if (!single) many_rows(of, words, weight, end, to, last - first);
    for (int64_t row = 0; single && row < of.count; ++row) one_row(of, row, weight, end, to + row * (last - first));
  }
}

void multiply(const FewRows<BFloat16>& of, int64_t first, int64_t last, float* sums) {
  thread_local Buffer<int32_t> words;
  const Trimmed<Buffer<int32_t>> trimmed(words);
  multiply_with(of, first, last, words.fit(words_of(of)), sums);
}

}  // namespace

FewRowsKernel<BFloat16> pairs_kernel() { return has_vectors() ? &multiply : nullptr; }

}  // namespace promptloss

#else

namespace promptloss {

FewRowsKernel<BFloat16> pairs_kernel() { return nullptr; }

}  // namespace promptloss

#endif
