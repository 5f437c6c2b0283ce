// What operators have in common: the checks of their arguments, how they reach bare memory, and what autograd is told.
// Each operator is a namespace of its own with up to three ways to run, which ../operators.cpp registers:
//   plain           where nothing is recorded
//   differentiable  with a derivative
//   autocast        as `differentiable`, in autocast's dtype
#pragma once

#include <ATen/ATen.h>
#include <ATen/MemoryOverlap.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "fused.h"
#include "optional.h"

namespace promptloss {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/** The dtypes that kernels are written for. */
inline bool is_float_or_half(at::ScalarType dtype) { return dtype == at::kFloat || dtype == at::kBFloat16; }

/** What kernels call `halves`. */
inline bool is_half(const at::Tensor& tensor) { return tensor.scalar_type() == at::kBFloat16; }

/** Throws, naming operator and argument, unless the tensor is one that kernels read: on the CPU, float32 or bfloat16. */
inline void check_for_kernel(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK(tensor.is_cpu(), op, ": ", name, " must be on the CPU, got ", tensor.device());
  TORCH_CHECK(
      is_float_or_half(tensor.scalar_type()), op, ": ", name, " must be float32 or bfloat16, got ", tensor.scalar_type());
}

/** Whether a tensor is for our kernels; libtorch's operators compute what is on other devices. */
inline bool is_for_kernels(const at::Tensor& tensor, Fused kernel) { return tensor.is_cpu() && fused_kernels(kernel); }

/** The same for an operator that has a way on other devices, where float16 serves too; the CPU's kernels read what they read. */
inline void check_for_any_device(const char* op, const char* name, const at::Tensor& tensor, const at::Tensor& first) {
  TORCH_CHECK(tensor.device() == first.device(), op, ": ", name, " must be on ", first.device(), ", got ", tensor.device());
  if (tensor.is_cpu()) return check_for_kernel(op, name, tensor);
  TORCH_CHECK(
      is_float_or_half(tensor.scalar_type()) || tensor.scalar_type() == at::kHalf, op, ": ", name,
      " must be float32, bfloat16 or float16, got ", tensor.scalar_type());
}

inline void check_same_dtype(const char* op, const char* name, const at::Tensor& tensor, const char* as, const at::Tensor& other) {
  TORCH_CHECK(
      tensor.scalar_type() == other.scalar_type(), op, ": ", name, " must have ", as, "'s dtype ", other.scalar_type(),
      ", got ", tensor.scalar_type());
}

/** Whether a gradient of any of these is asked. */
inline bool wants_gradient(std::initializer_list<at::Tensor> tensors) {
  if (!at::GradMode::is_enabled()) return false;
  for (const auto& tensor : tensors)
    if (tensor.defined() && tensor.requires_grad()) return true;
  return false;
}

/** Within a backward function: refuses a gradient of a gradient. @param instead what to compose the operator of */
inline void first_order_only(const char* op, const char* instead) {
  TORCH_CHECK(
      !at::GradMode::is_enabled(), op, ": second derivatives are not implemented\nhint: for a gradient of a gradient use ",
      instead);
}

/** The dtype that autocast gives products on this tensor's device. */
inline at::ScalarType autocast_dtype(const at::Tensor& tensor) {
  return at::autocast::get_lower_precision_fp_from_device_type(tensor.device().type());
}

/** Until the end of the block, operators run as if there were no autocast. */
struct WithoutAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

/** For a contiguous tensor's elements, or null for none. */
template <typename T = void>
T* memory_of(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

}  // namespace promptloss
