// Σ x² in float64, of float32 and bfloat16: what the norm of gradients is made of.
//
// Gains: ATen's norm of float32 sums in float32, and finds 1.3 % too little for 130 million equal elements; asked for
// float64 it writes all elements anew in 8 bytes each. Here they are widened in registers: one read of memory. Blocks of a
// fixed size have a sum each, added in their order, so that the result does not depend on how many threads there are.
//
// Plain twin: ATen's operators in operators/total_norm.cpp (total-norm.test.ts holds them together).
#include "sum_of_squares.h"

#include <vector>

#include "share.h"

namespace promptloss {
namespace {

/** Elements of one sum, so that the result does not depend on how many threads there are. */
constexpr int64_t kBlock = int64_t{1} << 16;

typedef double Doubles __attribute__((vector_size(64)));
typedef float HalfOfFloats __attribute__((vector_size(32)));

PROMPTLOSS_INLINE void widen(Floats from, Doubles* low, Doubles* high) {
  HalfOfFloats halves[2];
  std::memcpy(halves, &from, sizeof(halves));
  *low = __builtin_convertvector(halves[0], Doubles);
  *high = __builtin_convertvector(halves[1], Doubles);
}

template <typename T>
PROMPTLOSS_INLINE double squares_in_order(const T* from, int64_t count) {
  // Four sums, so that an addition need not wait for the one before.
  Doubles sums[4] = {};
  int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    Doubles parts[4];
    widen(load(from + i), parts, parts + 1);
    widen(load(from + i + kLanes), parts + 2, parts + 3);
    for (int k = 0; k < 4; ++k) sums[k] += parts[k] * parts[k];
  }
  const Doubles all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = 0;
  for (int k = 0; k < 8; ++k) total += all[k];
  for (; i < count; ++i) {
    const double value = to_float(from[i]);
    total += value * value;
  }
  return total;
}

PROMPTLOSS_CLONES double squares_of_floats(const float* from, int64_t count) { return squares_in_order(from, count); }
PROMPTLOSS_CLONES double squares_of_halves(const BFloat16* from, int64_t count) { return squares_in_order(from, count); }

template <typename T>
double by_blocks(const T* from, int64_t count, double (*kernel)(const T*, int64_t)) {
  const int64_t blocks = (count + kBlock - 1) / kBlock;
  std::vector<double> sums(static_cast<size_t>(blocks));
  share(blocks, [&](int64_t block) {
    const int64_t begin = block * kBlock;
    sums[static_cast<size_t>(block)] = kernel(from + begin, std::min(kBlock, count - begin));
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

double sum_of_squares(const float* from, int64_t count) { return by_blocks(from, count, &squares_of_floats); }
double sum_of_squares(const BFloat16* from, int64_t count) { return by_blocks(from, count, &squares_of_halves); }

}  // namespace promptloss
