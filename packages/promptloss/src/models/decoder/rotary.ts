// Rotary positions: the cosines and sines of an input, and the turning of queries and keys by them.
import { fromTypedArray, rotaryEmbedding, scope, type Tensor, where } from "@promptloss/torch";
import type { RopePlan } from "../config/architecture.ts";
import type { Segment } from "./input.ts";

/** Cosine and sine for each token and pair, [tokens, 1, pairs], float32. */
export interface RotaryTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** @param positions [tokens] */
export function rotaryTable(
  plan: RopePlan,
  positions: Int32Array,
  segments: readonly Segment[],
  device: string,
): RotaryTable {
  return scope(() => {
    const tokens = fromTypedArray(Float32Array.from(positions)).unsqueeze(1);
    const angles = tokens.mul(frequencies(plan, positions, segments)).unsqueeze(1);
    const onDevice = (table: Tensor): Tensor =>
      (plan.scale === 1 ? table : table.mul(plan.scale)).to({ device });
    return { cos: onDevice(angles.cos()), sin: onDevice(angles.sin()) };
  });
}

/** [1, pairs], or [tokens, pairs] where long and short sequences turn by different ones. */
function frequencies(plan: RopePlan, positions: Int32Array, segments: readonly Segment[]): Tensor {
  const short = fromTypedArray(plan.frequencies).unsqueeze(0);
  const { long } = plan;
  if (long === undefined) return short;
  const isLong = new Uint8Array(positions.length);
  for (const { start, length } of segments) {
    const last = positions.subarray(start, start + length).reduce((a, b) => Math.max(a, b), 0);
    if (last >= long.above) isLong.fill(1, start, start + length);
  }
  const flags = fromTypedArray(isLong, [isLong.length, 1], { dtype: "bool" });
  return where(flags, fromTypedArray(long.frequencies).unsqueeze(0), short);
}

/** Turns the first pairs of each head: x [tokens, heads, head size], computed in float32. */
export function rotate(x: Tensor, { cos, sin }: RotaryTable): Tensor {
  return rotaryEmbedding(x, cos, sin);
}
