#include "fused.h"

#include <atomic>

#include <torch/library.h>

namespace promptloss {
namespace {

std::atomic<bool> fused{true};

}  // namespace

bool fused_kernels() { return fused.load(std::memory_order_relaxed); }

bool use_fused_kernels(bool on) { return fused.exchange(on); }

}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("fused_kernels() -> bool", [] { return promptloss::fused_kernels(); });
  library.def("use_fused_kernels(bool on) -> bool", [](bool on) { return promptloss::use_fused_kernels(on); });
}
