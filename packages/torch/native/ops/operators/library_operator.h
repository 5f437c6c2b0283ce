// Operators of libtorch's own that only some of its versions, and some devices, have. One is found by name at run time
// and called by the names of its schema's arguments, so one source serves all versions.
//
// A way of ours that takes such an operator has a name and can be switched off: src/devices/ways.ts tries each on a
// device before it is used there, and switches off what is refused or differs from plain operators.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace promptloss {

class LibraryOperator {
 public:
  using Argument = std::pair<const char*, c10::IValue>;

  explicit LibraryOperator(const char* name, const char* overload = "")
      : handle_(c10::Dispatcher::singleton().findSchema(c10::OperatorName(name, overload))) {}

  bool exists() const { return handle_.has_value(); }

  bool takes(const char* argument) const {
    if (!exists()) return false;
    const auto& arguments = handle_->schema().arguments();
    return std::any_of(arguments.begin(), arguments.end(), [&](const auto& each) { return each.name() == argument; });
  }

  /** Whether there is a kernel for this device; for meta, whose tensors hold no values, libtorch without Python has few. */
  bool runs_on(const at::Device& device) const {
    const auto key = device.is_cpu()    ? c10::DispatchKey::CPU
                     : device.is_cuda() ? c10::DispatchKey::CUDA
                     : device.is_meta() ? c10::DispatchKey::Meta
                                        : c10::DispatchKey::Undefined;
    return exists() && key != c10::DispatchKey::Undefined && handle_->hasKernelForDispatchKey(key);
  }

  /** What is left out takes its default. */
  std::vector<c10::IValue> operator()(const std::vector<Argument>& given) const {
    TORCH_CHECK(exists(), "this libtorch lacks an operator that was chosen");
    std::vector<c10::IValue> stack;
    size_t taken = 0;
    for (const auto& argument : handle_->schema().arguments()) {
      const auto found =
          std::find_if(given.begin(), given.end(), [&](const Argument& each) { return argument.name() == each.first; });
      if (found != given.end()) {
        stack.push_back(found->second);
        ++taken;
        continue;
      }
      const auto fallback = argument.default_value();
      TORCH_CHECK(
          fallback.has_value(), handle_->schema().name(), ": this libtorch's asks for an argument ", argument.name(),
          " that is not known here");
      stack.push_back(*fallback);
    }
    TORCH_CHECK(taken == given.size(), handle_->schema().name(), ": this libtorch's lacks an argument that is given here");
    handle_->callBoxed(&stack);
    return stack;
  }

 private:
  decltype(c10::Dispatcher::singleton().findSchema(c10::OperatorName("", ""))) handle_;
};

/** The ways that depend on libtorch's own operators. */
enum class Way : size_t {
  flash_attention,
  flash_attention_window,
  efficient_attention,
  efficient_attention_window,
  fused_rms_norm,
  wide_products,
  fused_adamw,
  foreach_norm,
};

constexpr std::array<const char*, 8> kWays{
    "flash attention", "flash attention with a window", "memory-efficient attention",
    "memory-efficient attention with a window", "fused RMS norm", "wide products", "fused AdamW", "foreach norm"};

inline std::array<std::atomic<bool>, kWays.size()>& way_switches() {
  static std::array<std::atomic<bool>, kWays.size()> switches{true, true, true, true, true, true, true, true};
  return switches;
}

inline bool is_on(Way way) { return way_switches()[static_cast<size_t>(way)].load(std::memory_order_relaxed); }

inline std::atomic<bool>& way_switch(const std::string& name) {
  const auto found = std::find(kWays.begin(), kWays.end(), name);
  TORCH_CHECK(found != kWays.end(), "there is no way \"", name, "\"");
  return way_switches()[static_cast<size_t>(found - kWays.begin())];
}

}  // namespace promptloss
