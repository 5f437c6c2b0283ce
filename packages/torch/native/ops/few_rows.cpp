#include "few_rows.h"

#include <algorithm>
#include <vector>

#include "fused.h"
#include "share.h"

namespace promptloss {
namespace {

/** Elements of the weight that a thread takes at a time. */
constexpr int64_t kPiece = int64_t{1} << 16;
/** Rows for which the products here take less time than those with a packed matrix, or libtorch's: as measured. */
int64_t most_rows(at::ScalarType dtype) {
  if (dtype == at::kFloat) return 4;
  return pairs_kernel() != nullptr ? 64 : 31;
}

/** Rows of the weight that all rows are multiplied with before the next: they stay in the first cache. */
constexpr int64_t kStripe = 16;

/**
 * WEIGHTS rows of the weight by ROWS rows: sums [ROWS, ...], `apart` elements from one to the next. One or two rows of the
 * weight are read from end to end before the next ones: memory is fastest in its order.
 */
template <int WEIGHTS, int ROWS, typename T>
PROMPTLOSS_INLINE void tile(const FewRows<T>& of, int64_t weight, int64_t row, float* sums, int64_t apart) {
  Floats products[WEIGHTS][ROWS];
  float rest[WEIGHTS][ROWS] = {};
  for (int w = 0; w < WEIGHTS; ++w)
    for (int r = 0; r < ROWS; ++r) products[w][r] = all(0);
  const T* weights = of.weight + weight * of.step;
  const T* rows = of.rows + row * of.depth;
  int64_t k = 0;
  for (; k + kLanes <= of.depth; k += kLanes) {
    Floats right[ROWS];
    for (int r = 0; r < ROWS; ++r) right[r] = load(rows + r * of.depth + k);
    for (int w = 0; w < WEIGHTS; ++w) {
      const Floats left = load(weights + w * of.step + k);
      for (int r = 0; r < ROWS; ++r) products[w][r] += left * right[r];
    }
  }
  for (; k < of.depth; ++k)
    for (int w = 0; w < WEIGHTS; ++w)
      for (int r = 0; r < ROWS; ++r)
        rest[w][r] += to_float(weights[w * of.step + k]) * to_float(rows[r * of.depth + k]);
  for (int w = 0; w < WEIGHTS; ++w)
    for (int r = 0; r < ROWS; ++r) sums[r * apart + w] = halved_sum(products[w][r]) + rest[w][r];
}

template <typename T>
PROMPTLOSS_INLINE void all_weights(const FewRows<T>& of, int64_t first, int64_t last, float* sums) {
  const int64_t apart = last - first;
  for (int64_t weight = first; weight < last; weight += kStripe) {
    const int64_t end = std::min(last, weight + kStripe);
    int64_t row = 0;
    for (; row + 4 <= of.count; row += 4) {
      float* to = sums + row * apart - first;
      int64_t w = weight;
      for (; w + 2 <= end; w += 2) tile<2, 4>(of, w, row, to + w, apart);
      for (; w < end; ++w) tile<1, 4>(of, w, row, to + w, apart);
    }
    for (; row < of.count; ++row)
      for (int64_t w = weight; w < end; ++w) tile<1, 1>(of, w, row, sums + row * apart + w - first, apart);
  }
}

PROMPTLOSS_CLONES void few_floats(const FewRows<float>& of, int64_t first, int64_t last, float* sums) {
  all_weights(of, first, last, sums);
}

PROMPTLOSS_CLONES void few_halves(const FewRows<BFloat16>& of, int64_t first, int64_t last, float* sums) {
  all_weights(of, first, last, sums);
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

template <typename T>
void run(
    const FewRows<T>& of, int64_t columns, const float* bias, T* to, FewRowsKernel<T> kernel,
    void (*write)(const float*, const float*, int64_t, T*)) {
  const int64_t piece = std::max<int64_t>(1, kPiece / of.depth / kStripe) * kStripe;
  share((columns + piece - 1) / piece, [&](int64_t task) {
    thread_local std::vector<float> sums;
    const int64_t first = task * piece, last = std::min(columns, first + piece), width = last - first;
    sums.resize(static_cast<size_t>(of.count * width));
    kernel(of, first, last, sums.data());
    for (int64_t row = 0; row < of.count; ++row)
      write(sums.data() + row * width, bias == nullptr ? nullptr : bias + first, width, to + row * columns + first);
  });
}

template <typename T>
FewRows<T> operands(const at::Tensor& rows, const at::Tensor& weight) {
  return {static_cast<const T*>(rows.data_ptr()), rows.size(0), rows.size(1), static_cast<const T*>(weight.data_ptr()), weight.stride(0)};
}

}  // namespace

bool serves_few_rows(const at::Tensor& rows, const at::Tensor& weight) {
  const auto dtype = rows.scalar_type();
  return fused_kernels() && rows.is_cpu() && weight.is_cpu() && weight.scalar_type() == dtype &&
         (dtype == at::kFloat || dtype == at::kBFloat16) && weight.dim() == 2 && weight.stride(1) == 1 &&
         rows.size(1) == weight.size(1) && rows.size(1) > 0 && rows.size(0) > 0 && rows.size(0) <= most_rows(dtype);
}

FewRowsKernel<BFloat16> lanes_kernel() { return &few_halves; }

at::Tensor few_rows_product(
    const at::Tensor& given, const at::Tensor& weight, const at::Tensor& bias, FewRowsKernel<BFloat16> kernel) {
  const auto rows = given.contiguous();
  const auto result = at::empty({rows.size(0), weight.size(0)}, rows.options());
  const float* added = bias.defined() ? bias.data_ptr<float>() : nullptr;
  if (rows.scalar_type() == at::kFloat)
    run(operands<float>(rows, weight), weight.size(0), added, result.data_ptr<float>(), &few_floats, &write_floats);
  else
    run(operands<BFloat16>(rows, weight), weight.size(0), added, static_cast<BFloat16*>(result.data_ptr()), kernel,
        &write_halves);
  return result;
}

}  // namespace promptloss
