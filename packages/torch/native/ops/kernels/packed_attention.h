// Causal attention of sequences laid end to end, each to itself, without a mask and without scores kept.
#pragma once

#include <cstdint>

namespace promptloss {

/**
 * T tokens, H heads of queries, G heads of keys and values (H a multiple of G), W units a head (a multiple of 16). All
 * contiguous, float32 or, where `halves`, bfloat16.
 */
struct PackedAttention {
  bool halves;
  const void* query;  // [T, H, W]
  const void* key;    // [T, G, W]
  const void* value;  // [T, G, W]
  int64_t tokens, heads, groups, width;
  /** Where each sequence starts, and at last T: `sequences` + 1 places. */
  const int64_t* starts;
  int64_t sequences;
  float scale;
  /** A token sees itself and window − 1 before it; 0 for all before it. */
  int64_t window;
};

/** Writes `output` [T, H, W], and the logarithm of each softmax's sum into `log_sums`, [H, T]. */
void packed_attention_forward(const PackedAttention& on, void* output, float* log_sums);

struct PackedAttentionGradients {
  const void* output;  // what the forward pass wrote
  const float* log_sums;
  const void* grad;  // [T, H, W]: by the output
  void* query;       // what is written, in the shapes of the inputs
  void* key;
  void* value;
};

void packed_attention_backward(const PackedAttention& on, const PackedAttentionGradients& gradients);

}  // namespace promptloss
