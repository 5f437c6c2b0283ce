// Matrices in few bits, expanded: all of one, or a stretch of a row, which is how products read them
// (products.h, few_rows.h), so that weights are never in memory in more bits than they are kept in.
//
// Plain twins: promptloss' models/gguf/blocks/dequantize.ts, bit for bit, and reference/normal-float.ts for NF4.
#include "blocks.h"

#include <array>

#include "block_decoders.h"
#include "blocks_pairs.h"
#include "share.h"

namespace promptloss {
namespace {

template <typename Rows>
PROMPTLOSS_INLINE void to_floats(const uint8_t* row, int64_t columns, int64_t first, int64_t count, float* to) {
  const Rows rows{};
  for (int64_t i = 0; i < count; ++i) Rows::put(rows, row, columns, first + i, to + i * kStretch);
}

template <typename Rows>
PROMPTLOSS_INLINE void to_halves(const uint8_t* row, int64_t columns, int64_t first, int64_t count, BFloat16* to) {
  const Rows rows{};
  for (int64_t i = 0; i < count; ++i) {
    float stretch[kStretch];
    Rows::put(rows, row, columns, first + i, stretch);
    for (int64_t j = 0; j < kStretch; j += kLanes) store(to + i * kStretch + j, load(stretch + j));
  }
}

// Each kind is compiled for each processor, which templates cannot be.
#define PROMPTLOSS_EXPANSIONS(NAME, ROWS)                                                                          \
  PROMPTLOSS_CLONES void NAME##_floats(const uint8_t* row, int64_t columns, int64_t first, int64_t count, float* to) { \
    to_floats<ROWS>(row, columns, first, count, to);                                                               \
  }                                                                                                                \
  PROMPTLOSS_CLONES void NAME##_halves(                                                                            \
      const uint8_t* row, int64_t columns, int64_t first, int64_t count, BFloat16* to) {                           \
    to_halves<ROWS>(row, columns, first, count, to);                                                               \
  }

#define PROMPTLOSS_BLOCK_KINDS(EACH)                                                                          \
  EACH(Q4_0) EACH(Q4_1) EACH(Q5_0) EACH(Q5_1) EACH(Q8_0) EACH(Q2_K) EACH(Q3_K) EACH(Q4_K) EACH(Q5_K) EACH(Q6_K) \
  EACH(IQ1_S) EACH(IQ1_M) EACH(IQ2_XXS) EACH(IQ2_XS) EACH(IQ2_S) EACH(IQ3_XXS) EACH(IQ3_S) EACH(IQ4_NL) EACH(IQ4_XS)

#define PROMPTLOSS_BLOCK_EXPANSIONS(NAME) PROMPTLOSS_EXPANSIONS(NAME, Row<NAME>)
PROMPTLOSS_BLOCK_KINDS(PROMPTLOSS_BLOCK_EXPANSIONS)
PROMPTLOSS_EXPANSIONS(NF4, NormalFloatRow)

#define PROMPTLOSS_BLOCK_ENTRY(NAME) {#NAME, NAME::kElements, NAME::kBytes, NAME##_floats, NAME##_halves, nullptr},
constexpr BlockKind kPlainKinds[] = {
    PROMPTLOSS_BLOCK_KINDS(PROMPTLOSS_BLOCK_ENTRY){"NF4", kNormalBlock, 0, NF4_floats, NF4_halves, nullptr}};
constexpr size_t kKinds = sizeof(kPlainKinds) / sizeof(kPlainKinds[0]);

/** With what this processor has for them. */
std::array<BlockKind, kKinds> kinds_here() {
  std::array<BlockKind, kKinds> kinds{};
  for (size_t i = 0; i < kKinds; ++i) {
    kinds[i] = kPlainKinds[i];
    kinds[i].pairs = block_pair_kernels(kinds[i].name);
    if (kinds[i].pairs != nullptr) kinds[i].halves = kinds[i].pairs->halves;
  }
  return kinds;
}

template <typename T>
void expand_rows(const BlockMatrix& from, T* to, void (*one)(const uint8_t*, int64_t, int64_t, int64_t, T*)) {
  divide(from.rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      one(from.row(row), from.columns, 0, from.columns / kStretch, to + row * from.columns);
  });
}

}  // namespace

int64_t BlockKind::row_bytes(int64_t columns) const {
  if (columns < 1 || columns % elements != 0) return -1;
  const int64_t blocks = columns / elements;
  if (bytes > 0) return blocks * bytes;
  return columns / 2 + blocks + ((blocks + kScaleGroup - 1) / kScaleGroup + 1) * static_cast<int64_t>(sizeof(float));
}

const BlockKind* block_kind(const char* name) {
  static const auto kinds = kinds_here();
  for (const auto& kind : kinds)
    if (std::strcmp(kind.name, name) == 0) return &kind;
  return nullptr;
}

const BlockKind* plain_block_kind(const char* name) {
  for (const auto& kind : kPlainKinds)
    if (std::strcmp(kind.name, name) == 0) return &kind;
  return nullptr;
}

void expand(const BlockMatrix& from, float* to) { expand_rows(from, to, from.kind->floats); }

void expand(const BlockMatrix& from, BFloat16* to) { expand_rows(from, to, from.kind->halves); }

}  // namespace promptloss
