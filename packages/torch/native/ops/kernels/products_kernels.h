// What products.cpp is made of for one kind of processor: how rows and columns are packed, and how they are multiplied.
// Numbers are packed in words of 32 bits along the depth: two bfloat16, or a float32.
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

/** Columns that are packed together; those that do not exist are 0. */
constexpr int64_t kPanelColumns = 48;

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
  /** Depths of a word: two of bfloat16, one of float32. */
  int64_t depths;
  /** Rows are packed by so many; those that do not exist are 0. */
  int64_t strip;
  /** Words along the depth come in multiples of this; those that do not exist are 0. */
  int64_t word_unit;
  /** Words of depth of a block, at most: what is fastest for `multiply`. */
  int64_t block_words;
  /** Up to forty-eight columns → 48 * words, in the order that `multiply` reads. */
  void (*pack_float_columns)(const Source<float>& from, const Extent& which, int32_t* to);
  void (*pack_bits_columns)(const Source<Bits>& from, const Extent& which, int32_t* to);
  /** A strip of rows, or fewer → strip * words, in the order that `multiply` reads. */
  void (*pack_float_rows)(const Source<float>& from, const Extent& which, int32_t* to);
  void (*pack_bits_rows)(const Source<Bits>& from, const Extent& which, int32_t* to);
  /** to (+)= scale · rows · columns + bias, for packed rows, strip after strip, and forty-eight packed columns. */
  void (*multiply)(const int32_t* rows, const int32_t* columns, int64_t words, TileTarget to);
  /** A float32 block [to.rows, to.columns], rounded into a target. */
  void (*write)(const float* from, int64_t from_row, const TileTarget& to);
  /** Around a thread's calls of `multiply`. */
  void (*open)();
  void (*close)();

  int64_t words(int64_t depth) const {
    const int64_t used = (depth + depths - 1) / depths;
    return (used + word_unit - 1) / word_unit * word_unit;
  }
};

/** Whether the processor multiplies pairs of bfloat16 in vectors: AVX-512 bf16. */
bool has_vectors();

/** Whether the processor has AMX for bfloat16 and the system lets this process use it. */
bool has_tiles();

/** What numbers are multiplied as; sums are float32. */
enum class Operands { halves, floats };

/** Those of this processor; null where these products are not written for it, or libtorch's are the faster ones. */
const ProductKernels* product_kernels(Operands operands);

/** For words of two bfloat16; null where the processor has no instruction for them. */
const ProductKernels* pair_kernels();

/** For words of a float32, AVX-512 or AVX2; null on others. */
const ProductKernels* float_kernels(Operands operands);

/** Whether products of float32 go to `float_kernels` rather than to libtorch: on AMD with AVX-512, which MKL leaves unused. */
bool prefers_own_floats();

/** `pair_kernels` with AMX's tiles in plain code, for tests on processors that have none; null without AVX-512 bf16. */
const ProductKernels* emulated_tile_kernels();

/** `float_kernels` for AVX-512 with its vectors put together, for tests on processors that have none; null without AVX2. */
const ProductKernels* emulated_float_kernels(Operands operands);

}  // namespace promptloss
