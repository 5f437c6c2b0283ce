// total += scale · part, float32 and bfloat16.
//
// Gains: ATen widens the part into memory of its own, scales it and adds it, three passes; here it is one. For processors
// whose products are libtorch's: operators/head_products.cpp, which has the plain twin too.
#include "add_scaled.h"

#include "share.h"

namespace promptloss {
namespace {

/** Elements a thread takes at a time. */
constexpr int64_t kGrain = 1 << 15;

PROMPTLOSS_CLONES void add_range(float* total, const BFloat16* part, int64_t count, float scale, bool first) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const Floats added = load(part + i) * scale;
    store(total + i, first ? added : load(total + i) + added);
  }
  for (; i < count; ++i) {
    const float added = to_float(part[i]) * scale;
    total[i] = first ? added : total[i] + added;
  }
}

}  // namespace

void add_scaled(float* total, const BFloat16* part, int64_t count, float scale, bool first) {
  divide(count, kGrain, [&](int64_t begin, int64_t end) {
    add_range(total + begin, part + begin, end - begin, scale, first);
  });
}

}  // namespace promptloss
