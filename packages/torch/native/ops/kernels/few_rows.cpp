// Products of a few rows with a matrix that lies row by row: rows · weightᵀ + bias.
//
// Gains: packing the weight would cost more than the product of a few rows, so it is read once, as it lies, and a token of
// generation costs about one pass over the weights. Measured by bench/src/generation. Up to four rows are multiplied with
// each row of the weight in turn, from end to end, as memory is fastest in its order; more stand side by side, sixteen in a
// vector, and each number of the weight goes to all of them. For pairs of bfloat16: few_rows_pairs.cpp.
//
// Plain twin: libtorch's linear in float64 (linear.test.ts holds them together).
#include "few_rows.h"

#include <algorithm>

#include "blocks_pairs.h"
#include "share.h"
#include "workspace.h"

namespace promptloss {
namespace {

/** Elements of the weight that a thread takes at a time. */
constexpr int64_t kPiece = int64_t{1} << 16;
/** Pieces are a multiple of this many rows of the weight. */
constexpr int64_t kStripe = 16;
/** Rows of the weight at a time. */
constexpr int64_t kGroup = 8;
/** Rows that are taken one after another; more stand side by side. */
constexpr int64_t kSingleRows = 4;

/** The product of one row of the weight and one row. */
template <typename T>
PROMPTLOSS_INLINE float along_depth(const T* weight, const T* row, int64_t depth) {
  Floats products = all(0);
  int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) products += load(weight + k) * load(row + k);
  float total = halved_sum(products);
  for (; k < depth; ++k) total += to_float(weight[k]) * to_float(row[k]);
  return total;
}

/** Eight rows of the weight by sixteen rows that stand side by side: `turned` [depth][16]. To [8][16]. */
template <typename T>
PROMPTLOSS_INLINE void side_by_side(const T* const* weights, const float* turned, int64_t depth, int64_t ahead, float* to) {
  Floats sums[kGroup];
  for (auto& each : sums) each = all(0);
  for (int64_t k = 0; k < depth; ++k) {
    if (k % kLanes == 0)
      for (int w = 0; w < kGroup; ++w) __builtin_prefetch(weights[w] + k + ahead);
    const Floats rows = load(turned + k * kLanes);
    for (int w = 0; w < kGroup; ++w) sums[w] += rows * to_float(weights[w][k]);
  }
  for (int w = 0; w < kGroup; ++w) store(to + w * kLanes, sums[w]);
}

/** All rows by eight rows of the weight, or fewer: those from `first` to `last`. */
template <typename T>
PROMPTLOSS_INLINE void many_rows(const FewRows<T>& of, const float* turned, int64_t first, int64_t last, float* sums, int64_t apart) {
  const T* weights[kGroup];
  // What does not exist is read from the last row, and not written.
  for (int64_t w = 0; w < kGroup; ++w) weights[w] = of.weight + std::min(first + w, last - 1) * of.step;
  for (int64_t row = 0; row < of.count; row += kLanes, turned += of.depth * kLanes) {
    float found[kGroup * kLanes];
    side_by_side(weights, turned, of.depth, row == 0 ? kGroup * of.step : 0, found);
    for (int64_t r = 0; r < std::min(kLanes, of.count - row); ++r)
      for (int64_t w = 0; w < last - first; ++w) sums[(row + r) * apart + w] = found[w * kLanes + r];
  }
}

/** Rows side by side: [sixteen rows][depth][16]; those that do not exist are 0. */
template <typename T>
PROMPTLOSS_INLINE void turn(const FewRows<T>& of, float* to) {
  for (int64_t row = 0; row < of.count; row += kLanes)
    for (int64_t k = 0; k < of.depth; ++k, to += kLanes)
      for (int64_t r = 0; r < kLanes; ++r) to[r] = row + r < of.count ? to_float(of.rows[(row + r) * of.depth + k]) : 0;
}

template <typename T>
PROMPTLOSS_INLINE void all_weights(const FewRows<T>& of, int64_t first, int64_t last, float* turned, float* sums) {
  const int64_t apart = last - first;
  const bool single = of.count <= kSingleRows;
  if (!single) turn(of, turned);
  for (int64_t weight = first; weight < last; weight += kGroup) {
    const int64_t end = std::min(last, weight + kGroup);
    if (!single) {
      many_rows(of, turned, weight, end, sums + weight - first, apart);
      continue;
    }
    // A row of the weight is read from end to end before the next: memory is fastest in its order.
    for (int64_t w = weight; w < end; ++w)
      for (int64_t row = 0; row < of.count; ++row)
        sums[row * apart + w - first] = along_depth(of.weight + w * of.step, of.rows + row * of.depth, of.depth);
  }
}

PROMPTLOSS_CLONES void all_floats(const FewRows<float>& of, int64_t first, int64_t last, float* turned, float* sums) {
  all_weights(of, first, last, turned, sums);
}

PROMPTLOSS_CLONES void all_halves(const FewRows<BFloat16>& of, int64_t first, int64_t last, float* turned, float* sums) {
  all_weights(of, first, last, turned, sums);
}

/** A kernel with memory for the rows side by side. */
template <typename T, void (*All)(const FewRows<T>&, int64_t, int64_t, float*, float*)>
void few(const FewRows<T>& of, int64_t first, int64_t last, float* sums) {
  thread_local Buffer<float> turned;
  const Trimmed<Buffer<float>> trimmed(turned);
  All(of, first, last, turned.fit(static_cast<size_t>((of.count + kLanes - 1) / kLanes * kLanes * of.depth)), sums);
}

PROMPTLOSS_CLONES void write_floats(const float* from, const float* bias, int64_t count, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i] + (bias == nullptr ? 0 : bias[i]);
}

PROMPTLOSS_CLONES void write_halves(const float* from, const float* bias, int64_t count, BFloat16* to) {
  float padded[kLanes] = {};
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t size = std::min(kLanes, count - i);
    for (int64_t j = 0; j < size; ++j) padded[j] = from[i + j] + (bias == nullptr ? 0 : bias[i + j]);
    BFloat16 rounded[kLanes];
    store(rounded, load(padded));
    std::copy_n(rounded, size, to + i);
  }
}

/** `kernel(first, last, sums)` for all of the weight's rows, and what it found, written with the bias. */
template <typename T, typename Kernel>
void run(
    int64_t count, int64_t depth, int64_t columns, const float* bias, T* to, const Kernel& kernel,
    void (*write)(const float*, const float*, int64_t, T*)) {
  const int64_t piece = std::max<int64_t>(1, kPiece / depth / kStripe) * kStripe;
  share((columns + piece - 1) / piece, [&](int64_t task) {
    thread_local Buffer<float> buffer;
    const Trimmed<Buffer<float>> trimmed(buffer);
    const int64_t first = task * piece, last = std::min(columns, first + piece), width = last - first;
    float* sums = buffer.fit(static_cast<size_t>(count * width));
    kernel(first, last, sums);
    for (int64_t row = 0; row < count; ++row)
      write(sums + row * width, bias == nullptr ? nullptr : bias + first, width, to + row * columns + first);
  });
}

template <typename T>
void run_rows(
    const FewRows<T>& of, int64_t columns, const float* bias, T* to, FewRowsKernel<T> kernel,
    void (*write)(const float*, const float*, int64_t, T*)) {
  const auto piece = [&](int64_t first, int64_t last, float* sums) { kernel(of, first, last, sums); };
  run(of.count, of.depth, columns, bias, to, piece, write);
}

/** Rows of a weight in blocks are expanded for a kernel, as many as it takes at a time. */
template <typename T>
void run_blocks(
    const Matrix& rows, const BlockMatrix& weight, const float* bias, T* to, FewRowsKernel<T> kernel,
    void (*expand)(const uint8_t*, int64_t, int64_t, int64_t, T*), void (*write)(const float*, const float*, int64_t, T*)) {
  const int64_t depth = weight.columns;
  const auto piece = [&](int64_t first, int64_t last, float* sums) {
    thread_local Buffer<T> buffer;
    const Trimmed<Buffer<T>> trimmed(buffer);
    T* expanded = buffer.fit(static_cast<size_t>((last - first) * depth));
    for (int64_t row = first; row < last; ++row)
      expand(weight.row(row), depth, 0, depth / kStretch, expanded + (row - first) * depth);
    kernel({static_cast<const T*>(rows.data), rows.rows, depth, expanded, depth}, 0, last - first, sums);
  };
  run(rows.rows, depth, weight.rows, bias, to, piece, write);
}

/** Rows and their pairs' sums, multiplied with the blocks as they are. */
void run_pairs(const Matrix& rows, const BlockMatrix& weight, const float* bias, BFloat16* to) {
  const auto* data = static_cast<const BFloat16*>(rows.data);
  const auto& kernels = *weight.kind->pairs;
  thread_local Buffer<float> buffer;
  const Trimmed<Buffer<float>> trimmed(buffer);
  float* sums = nullptr;
  if (kernels.wants_sums) {
    sums = buffer.fit(static_cast<size_t>(rows.rows * rows.columns / 2));
    sums_of_pairs(data, rows.rows * rows.columns, sums);
  }
  const BlockRows of{data, rows.rows, sums, weight};
  run(rows.rows, weight.columns, weight.rows, bias, to,
      [&](int64_t first, int64_t last, float* found) { kernels.multiply(of, first, last, found); }, &write_halves);
}

template <typename T>
FewRows<T> operands(const Matrix& rows, const Matrix& weight) {
  return {static_cast<const T*>(rows.data), rows.rows, rows.columns, static_cast<const T*>(weight.data), weight.row_step};
}

}  // namespace

FewRowsKernel<BFloat16> lanes_kernel() { return &few<BFloat16, &all_halves>; }

FewRowsKernel<BFloat16> few_rows_kernel() {
  const auto pairs = pairs_kernel();
  return pairs != nullptr ? pairs : lanes_kernel();
}

void few_rows_product(
    const MatrixTarget& to, const Matrix& rows, const Matrix& weight, const float* bias, FewRowsKernel<BFloat16> kernel) {
  if (!rows.halves)
    run_rows(operands<float>(rows, weight), weight.rows, bias, static_cast<float*>(to.data), &few<float, &all_floats>,
        &write_floats);
  else
    run_rows(operands<BFloat16>(rows, weight), weight.rows, bias, static_cast<BFloat16*>(to.data), kernel, &write_halves);
}

void few_rows_product(
    const MatrixTarget& to, const Matrix& rows, const BlockMatrix& weight, const float* bias, FewRowsKernel<BFloat16> kernel) {
  if (!rows.halves)
    run_blocks<float>(
        rows, weight, bias, static_cast<float*>(to.data), &few<float, &all_floats>, weight.kind->floats, &write_floats);
  else if (weight.kind->pairs != nullptr && rows.rows <= kMostBlockRows)
    run_pairs(rows, weight, bias, static_cast<BFloat16*>(to.data));
  else
    run_blocks<BFloat16>(
        rows, weight, bias, static_cast<BFloat16*>(to.data), kernel, weight.kind->halves, &write_halves);
}

}  // namespace promptloss
