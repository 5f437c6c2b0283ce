// What products.cpp is made of for one kind of processor: how rows are packed, and how packed rows and columns are
// multiplied. Right factors lie the same for all: words of two bfloat16 along the depth, forty-eight columns side by
// side.
#pragma once

#include <cstdint>

namespace promptloss {

/** Bits of a bfloat16. */
using Bits = uint16_t;

/** A factor as it lies in memory: element (i, k) at data[i * along + k * depth], where one of the steps is 1. */
template <typename T>
struct Source {
  const T* data;
  int64_t along;
  int64_t depth;
};

constexpr int64_t kPanelColumns = 48;
/** Rows are packed by so many; those that do not exist are 0. */
constexpr int64_t kStrip = 16;

/** Where a panel's product goes: as many rows and columns as there are, float32 or bfloat16, `row` elements apart. */
struct TileTarget {
  void* data;
  int64_t row;
  bool is_float;
  int64_t rows;
  int64_t columns;
  float scale;
  /** Added to each row, [columns]; null for none. */
  const float* bias;
  /** Add to what is there. */
  bool add;

  /** The same from this row and column on, with all rows and columns that it had. */
  TileTarget from(int64_t down, int64_t right) const {
    TileTarget part = *this;
    const int64_t size = is_float ? sizeof(float) : sizeof(Bits);
    part.data = static_cast<char*>(data) + (down * row + right) * size;
    if (bias != nullptr) part.bias += right;
    return part;
  }
};

/** A stretch of rows or columns, and of depths. */
struct Extent {
  int64_t first, count;
  int64_t begin, end;
};

struct ProductKernels {
  /** Words along the depth come in multiples of this; those that do not exist are 0. */
  int64_t pair_unit;
  /** Up to forty-eight columns → [pairs][48] words. */
  void (*pack_float_columns)(const Source<float>& from, const Extent& which, int32_t* to);
  void (*pack_bits_columns)(const Source<Bits>& from, const Extent& which, int32_t* to);
  /** Sixteen rows, or fewer → 16 * pairs words, in the order that `multiply` reads. */
  void (*pack_float_rows)(const Source<float>& from, const Extent& which, int32_t* to);
  void (*pack_bits_rows)(const Source<Bits>& from, const Extent& which, int32_t* to);
  /** to (+)= scale · rows · columns + bias, for packed rows, strip after strip, and forty-eight packed columns. */
  void (*multiply)(const int32_t* rows, const int32_t* columns, int64_t pairs, TileTarget to);
  /** A float32 block [to.rows, to.columns], rounded into a target. */
  void (*write)(const float* from, int64_t from_row, const TileTarget& to);
  /** Around a thread's calls of `multiply`. */
  void (*open)();
  void (*close)();

  int64_t pairs(int64_t depth) const {
    const int64_t words = (depth + 1) / 2;
    return (words + pair_unit - 1) / pair_unit * pair_unit;
  }
};

/** Whether the processor multiplies pairs of bfloat16 in vectors: AVX-512 bf16. */
bool has_vectors();

/** Whether the processor has AMX for bfloat16 and the system lets this process use it. */
bool has_tiles();

/** Those of this processor; null where these products are not written for it. */
const ProductKernels* product_kernels();

/** The tiles' with the tiles in plain code, for tests on processors that have none; null where nothing is written. */
const ProductKernels* emulated_tile_kernels();

}  // namespace promptloss
