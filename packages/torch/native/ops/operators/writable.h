// Which tensors a kernel may write into, and how autograd learns that one was written.
#pragma once

#include <ATen/ATen.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
#define PROMPTLOSS_KNOWS_LAST_BACKWARD
#include <torch/csrc/autograd/graph_task.h>
#endif

namespace promptloss {

/**
 * Within a backward function: whether nobody but the function holds this gradient of its arguments, so that its memory
 * may be written. The rule is the one by which the engine sums in place: one owner of the tensor, one of its storage,
 * no element that stands for several. Memory that libtorch did not allocate (it is never resizable) has owners outside.
 */
inline bool is_sole_owner(const at::Tensor& gradient) {
#if TORCH_VERSION_MAJOR < 2
  // The node keeps the list that it copied the function's arguments from.
  constexpr size_t kOwners = 2;
#else
  constexpr size_t kOwners = 1;
#endif
  return gradient.layout() == at::kStrided && gradient.has_storage() && gradient.use_count() == kOwners &&
         gradient.storage().use_count() == 1 && gradient.storage().unsafeGetStorageImpl()->resizable() &&
         gradient.is_contiguous() && !gradient.is_conj() && !gradient.is_neg();
}

/** Within a backward function: whether the pass frees its graph. False where this libtorch does not say. */
inline bool is_last_backward() {
#ifdef PROMPTLOSS_KNOWS_LAST_BACKWARD
  return !torch::autograd::get_current_graph_task_keep_graph();
#else
  return false;
#endif
}

/** After a kernel wrote through a bare pointer: a backward pass that needs what was there before must fail. */
inline void note_written(const at::Tensor& tensor) {
  if (!tensor.is_inference()) tensor.unsafeGetTensorImpl()->bump_version();
}

}  // namespace promptloss
