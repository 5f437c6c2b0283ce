// Matrices as kernels see them: bare pointers, sizes and steps.
#pragma once

#include <cstdint>

namespace promptloss {

/** Element (row, column) is at row * row_step + column * column_step; float32, or bfloat16 where `halves`. */
struct Matrix {
  const void* data;
  bool halves;
  int64_t rows, columns;
  int64_t row_step, column_step;
};

/** Rows that are written, `row_step` elements apart, each contiguous. */
struct MatrixTarget {
  void* data;
  bool halves;
  int64_t rows, columns;
  int64_t row_step;
};

}  // namespace promptloss
