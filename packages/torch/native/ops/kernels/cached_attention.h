// Attention of new tokens to what a cache holds of their sequences, themselves included. Forward only.
#pragma once

#include <cstdint>

namespace promptloss {

/** Keys or values of a cache: [sequences, heads, capacity, width], elements from one to the next of each but the last. */
struct CachedHeads {
  const void* data;
  int64_t sequence_step, head_step, token_step;
};

/** All float32, or bfloat16 where `halves`. */
struct CachedAttention {
  bool halves;
  const void* query;  // [tokens, heads, width], contiguous
  CachedHeads keys, values;
  int64_t heads, groups, width;
  /** Where each sequence's tokens start in `query`, and at last their number. */
  const int64_t* starts;
  /** The tokens that a sequence held before these. */
  const int64_t* pasts;
  int64_t sequences;
  float scale;
  int64_t window;
};

/** Writes `output` [tokens, heads, width]. */
void cached_attention(const CachedAttention& on, void* output);

}  // namespace promptloss
