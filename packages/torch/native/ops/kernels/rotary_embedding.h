// Rotary positions: pairs of units turned by an angle of their token.
#pragma once

#include <cstdint>

namespace promptloss {

struct RotaryEmbedding {
  /** Whether input and output are bfloat16, or float32. */
  bool halves;
  const void* input;  // [tokens, heads, units], the units one after another
  int64_t token_step, head_step;
  const float *cos, *sin;  // [tokens, half], contiguous
  int64_t tokens, heads, units;
  /** Pairs of a head, whose parts stand so far apart; units beyond them stay. */
  int64_t half;
  /** 1, or −1 to turn back. */
  float direction;
};

/** Writes `output` [tokens, heads, units]. */
void rotary_embedding(const RotaryEmbedding& on, void* output);

}  // namespace promptloss
