#include "fused.h"

#include <array>
#include <atomic>

namespace promptloss {
namespace {

/** In the order of `Fused`. */
constexpr std::array kNames{"AdamW",    "attention", "blocks",           "cross entropy", "few rows",
                            "products", "RMS norm",  "rotary embedding", "SiLU times up"};
constexpr unsigned kAll = (1U << kNames.size()) - 1;
static_assert(kNames.size() == static_cast<unsigned>(Fused::kSiluMul) + 1);

std::atomic<unsigned> fused{kAll};

unsigned bits_of(const std::string& name) {
  if (name.empty()) return kAll;
  for (unsigned place = 0; place < kNames.size(); ++place)
    if (name == kNames[place]) return 1U << place;
  TORCH_CHECK(false, "there are no fused kernels called ", name);
}

}  // namespace

bool fused_kernels(Fused kernel) { return (fused.load(std::memory_order_relaxed) >> static_cast<unsigned>(kernel) & 1U) != 0; }

bool fused_kernels(const std::string& name) {
  const auto bits = bits_of(name);
  return (fused.load(std::memory_order_relaxed) & bits) == bits;
}

bool use_fused_kernels(bool on, const std::string& name) {
  const auto bits = bits_of(name);
  const auto before = on ? fused.fetch_or(bits) : fused.fetch_and(~bits);
  return (before & bits) == bits;
}

}  // namespace promptloss
