// Attention of tokens laid end to end to what a cache holds of their sequences: a step of generation, or a text that goes on
// where a cached one ends.
//
// Gains: sequences of any lengths go through one operator, where libtorch's takes one a sequence or a mask over the
// longest. Measured by bench/src/generation and bench/src/evaluation. Up to four queries a sequence read keys and values
// as they lie, one pass over the cache, which is all that a step of generation can cost; more turn the keys round once
// and go by blocks, as packed_attention.cpp.
//
// Plain twin: scaled_dot_product_attention with a mask (cached-attention.test.ts holds them together).
#include "cached_attention.h"

#include "attention_heads.h"
#include "share.h"

#define PROMPTLOSS_KERNELS "cached_attention_lanes.h"
#include "each_processor.h"

namespace promptloss {

void cached_attention(const CachedAttention& on, void* output) {
  share(on.sequences * on.groups, [&](int64_t task) {
    thread_local Workspace work;
    const Trimmed<Workspace> trimmed(work);
    if (on.halves)
      PROMPTLOSS_CHOSEN(run_halves)(on, static_cast<BFloat16*>(output), task, work);
    else
      PROMPTLOSS_CHOSEN(run_floats)(on, static_cast<float*>(output), task, work);
  });
}

}  // namespace promptloss
