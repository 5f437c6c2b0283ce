// Whether a backward pass frees its graph: then gradients that only the graph holds may be given away or written to.
#pragma once

#include <torch/version.h>

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
#define PROMPTLOSS_KNOWS_LAST_BACKWARD
#include <torch/csrc/autograd/graph_task.h>
#endif

namespace promptloss {

/** Within a backward function; false where this libtorch does not say. */
inline bool is_last_backward() {
#ifdef PROMPTLOSS_KNOWS_LAST_BACKWARD
  return !torch::autograd::get_current_graph_task_keep_graph();
#else
  return false;
#endif
}

}  // namespace promptloss
