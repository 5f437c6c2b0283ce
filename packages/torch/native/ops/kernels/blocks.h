// Matrices in few bits a weight: rows of bytes, each row made of blocks that share their scales. A kind says how many
// bytes a row takes and how a stretch of thirty-two elements is expanded. Kinds: the blocks of GGUF by ggml's names, and
// NF4, the 4-bit NormalFloat of QLoRA (arXiv 2305.14314) with double quantization.
//
// A row of NF4 with c columns, blocks of 64:
//   c / 2 bytes    two codes each, the first in the upper half
//   c / 64 bytes   a code of the block's largest magnitude, less `offset`, in the dynamic map of 8 bits
//   4 g bytes      float32, the largest of these for every 256 blocks: g of them
//   4 bytes        float32, `offset`: the mean of the largest magnitudes of all blocks of the matrix
#pragma once

#include <cstdint>

#include "lanes.h"

namespace promptloss {

/** Elements that are expanded at a time. */
constexpr int64_t kStretch = 32;

struct BlockPairKernels;

struct BlockKind {
  const char* name;
  /** Columns come in multiples of this. */
  int64_t elements;
  /** Of a block; 0 for NF4, whose rows are no row of blocks. */
  int64_t bytes;
  /** Stretches `first` to `first + count` of a row with so many columns. */
  void (*floats)(const uint8_t* row, int64_t columns, int64_t first, int64_t count, float* to);
  void (*halves)(const uint8_t* row, int64_t columns, int64_t first, int64_t count, BFloat16* to);
  /** For few rows, as the blocks are; null where there is none. */
  const BlockPairKernels* pairs;

  /** Of a row; -1 where no row has so many columns. */
  int64_t row_bytes(int64_t columns) const;
};

/** Null for a name that is none. */
const BlockKind* block_kind(const char* name);

/** The same without what is written for one kind of processor, for tests. */
const BlockKind* plain_block_kind(const char* name);

/** Rows that follow each other. */
struct BlockMatrix {
  const uint8_t* data;
  const BlockKind* kind;
  int64_t rows, columns;

  int64_t row_bytes() const { return kind->row_bytes(columns); }
  const uint8_t* row(int64_t index) const { return data + index * row_bytes(); }
};

/** All elements, [rows, columns]; bfloat16 is rounded to the nearest. */
void expand(const BlockMatrix& from, float* to);
void expand(const BlockMatrix& from, BFloat16* to);

/** Whether matrices are written in a kind: NF4 and Q8_0 are. */
bool can_quantize(const BlockKind& kind);

/** float32 [rows, columns] → `rows` rows of a kind that is written. */
void quantize(const float* from, const BlockKind& kind, int64_t rows, int64_t columns, uint8_t* to);

/** What NF4's codes mean, and what those of its scales do. */
constexpr int64_t kNormalFloats = 16;
constexpr int64_t kNormalBlock = 64;
constexpr int64_t kScaleGroup = 256;
extern const float kNormalFloat[kNormalFloats];
/** 256 values, rising. */
const float* dynamic_map();

}  // namespace promptloss
