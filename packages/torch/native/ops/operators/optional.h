// The optional that libtorch's operators take: the standard's since 2.5, its own before.
#pragma once

#include <ATen/ATen.h>
#include <torch/version.h>

namespace promptloss {

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 5)
template <typename T>
using Optional = std::optional<T>;
#else
template <typename T>
using Optional = c10::optional<T>;
#endif

}  // namespace promptloss
