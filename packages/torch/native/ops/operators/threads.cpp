// The threads of ../kernels/share.h: libtorch's own.
#include <ATen/Parallel.h>

#include "../kernels/share.h"

namespace promptloss {

int64_t thread_count() { return at::get_num_threads(); }

void run_ranges(int64_t count, int64_t grain, void (*body)(const void*, int64_t, int64_t), const void* context) {
  at::parallel_for(0, count, grain, [&](int64_t begin, int64_t end) { body(context, begin, end); });
}

}  // namespace promptloss
