#include "add_scaled.h"

#include <ATen/Parallel.h>

#include "lanes.h"

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

bool has_add_scaled(const at::Tensor& total, const at::Tensor& part) {
  return total.is_cpu() && total.scalar_type() == at::kFloat && part.scalar_type() == at::kBFloat16 &&
         total.is_contiguous() && part.is_contiguous();
}

void add_scaled(const at::Tensor& total, const at::Tensor& part, double scale, bool first) {
  float* to = total.data_ptr<float>();
  const auto* from = static_cast<const BFloat16*>(part.data_ptr());
  at::parallel_for(0, total.numel(), kGrain, [&](int64_t begin, int64_t end) {
    add_range(to + begin, from + begin, end - begin, static_cast<float>(scale), first);
  });
}

}  // namespace promptloss
