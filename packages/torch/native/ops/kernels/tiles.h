// Small float32 matrix products in the processor's registers, for blocks that lie in its cache: what attention is made
// of. Part of kernels that each_processor.h compiles.

/** A tile's sums, a row of the right matrix and a factor fill the registers: 32 with AVX-512, else 16. */
constexpr int kTileRows = kLanes == 16 ? 4 : 6;
constexpr int kTileVectors = kLanes == 16 ? 4 : 2;

/** One tile: ROWS rows, VECTORS vectors of columns. to (+)= left [ROWS, depth] . right [depth, VECTORS * kLanes]. */
template <int ROWS, int VECTORS>
PROMPTLOSS_INLINE void tile(
    Strided left, const float* right, int64_t right_row, int64_t depth, float* to, int64_t to_row, bool add) {
  Floats sums[ROWS][VECTORS];
  for (int r = 0; r < ROWS; ++r)
    for (int v = 0; v < VECTORS; ++v) sums[r][v] = add ? load(to + r * to_row + v * kLanes) : all(0);
  for (int64_t k = 0; k < depth; ++k) {
    Floats row[VECTORS];
    for (int v = 0; v < VECTORS; ++v) row[v] = load(right + k * right_row + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) {
      const float factor = left.data[r * left.row + k * left.column];
      for (int v = 0; v < VECTORS; ++v) sums[r][v] += row[v] * factor;
    }
  }
  for (int r = 0; r < ROWS; ++r)
    for (int v = 0; v < VECTORS; ++v) store(to + r * to_row + v * kLanes, sums[r][v]);
}

template <int VECTORS>
PROMPTLOSS_INLINE void tile_columns(
    Strided left, int64_t rows, const float* right, int64_t right_row, int64_t depth, float* to, int64_t to_row,
    bool add) {
  int64_t i = 0;
  for (; i + kTileRows <= rows; i += kTileRows)
    tile<kTileRows, VECTORS>(
        {left.data + i * left.row, left.row, left.column}, right, right_row, depth, to + i * to_row, to_row, add);
  for (; i < rows; ++i)
    tile<1, VECTORS>(
        {left.data + i * left.row, left.row, left.column}, right, right_row, depth, to + i * to_row, to_row, add);
}

/**
 * to [rows, columns] = left [rows, depth] . right [depth, columns], or += where `add`. `columns` is a multiple of kLanes;
 * rows of `right` and `to` are contiguous.
 */
PROMPTLOSS_INLINE void multiply(
    Strided left, int64_t rows, const float* right, int64_t right_row, int64_t depth, int64_t columns, float* to,
    int64_t to_row, bool add) {
  int64_t j = 0;
  for (; j + kTileVectors * kLanes <= columns; j += kTileVectors * kLanes)
    tile_columns<kTileVectors>(left, rows, right + j, right_row, depth, to + j, to_row, add);
  const int64_t left_over = (columns - j) / kLanes;
  if (kTileVectors > 3 && left_over == 3) tile_columns<3>(left, rows, right + j, right_row, depth, to + j, to_row, add);
  if (kTileVectors > 2 && left_over == 2) tile_columns<2>(left, rows, right + j, right_row, depth, to + j, to_row, add);
  if (left_over == 1) tile_columns<1>(left, rows, right + j, right_row, depth, to + j, to_row, add);
}
