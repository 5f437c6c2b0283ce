// Rotary position embedding: an operator of native/ops, one pass on the CPU.

import { operator } from "../dispatcher.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { to } from "./conversion.ts";
import { runsFused } from "./runs-fused.ts";
import { cat, narrow } from "./shape.ts";

const native = operator<Tensor>("promptloss::rotary_embedding");

/**
 * Turns the first 2 · pairs elements of each head by angles, the pairs half of that apart (Su et al., 2021, in the order of
 * GPT-NeoX and LLaMA): (a, b) becomes (a cos − b sin, b cos + a sin), computed in float32. Elements after them stay.
 * Differentiable once for float32 and bfloat16.
 *
 * @param input [tokens, heads, width]
 * @param cos [tokens, 1, pairs], float32; no gradient flows into it
 * @param sin as `cos`
 * @returns [tokens, heads, width], of the input's dtype
 */
export function rotaryEmbedding(input: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const { dtype } = input;
  if (runsFused(input, "rotary embedding")) return native(input, cos, sin);
  return scope(() => {
    const [, , width] = input.shape as [number, number, number];
    const pairs = cos.shape.at(-1)!;
    const first = narrow(input, 2, 0, pairs);
    const second = narrow(input, 2, pairs, pairs);
    const turned = [sub(mul(first, cos), mul(second, sin)), add(mul(second, cos), mul(first, sin))];
    const result = to(cat(turned, 2), { dtype });
    if (2 * pairs === width) return result;
    return cat([result, narrow(input, 2, 2 * pairs, width - 2 * pairs)], 2);
  });
}
