// Rotary positions: the cosines and sines of an input, and the turning of queries and keys by them.
import { rotaryEmbedding, scope, type Tensor, upload, where } from "@promptloss/torch";
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
    const tokens = Float32Array.from(positions);
    // One transfer for all that goes to the device.
    const { long } = plan;
    const sent = long === undefined ? [] : [long.frequencies, longTokens(long, positions, segments)];
    const [at, short, other, flags] = upload([tokens, plan.frequencies, ...sent], device) as [
      Tensor,
      Tensor,
      Tensor?,
      Tensor?,
    ];
    // [1, pairs], or [tokens, pairs] where long and short sequences turn by different ones.
    const frequencies =
      other === undefined
        ? short.unsqueeze(0)
        : where(flags!.bool().unsqueeze(1), other.unsqueeze(0), short.unsqueeze(0));
    const angles = at.unsqueeze(1).mul(frequencies).unsqueeze(1);
    const scaled = (table: Tensor): Tensor => (plan.scale === 1 ? table : table.mul(plan.scale));
    return { cos: scaled(angles.cos()), sin: scaled(angles.sin()) };
  });
}

/** 1 for each token of a sequence that is long enough for the long frequencies. */
function longTokens(
  long: NonNullable<RopePlan["long"]>,
  positions: Int32Array,
  segments: readonly Segment[],
): Uint8Array<ArrayBuffer> {
  const isLong = new Uint8Array(positions.length);
  for (const { start, length } of segments) {
    const last = positions.subarray(start, start + length).reduce((a, b) => Math.max(a, b), 0);
    if (last >= long.above) isLong.fill(1, start, start + length);
  }
  return isLong;
}

/** Turns the first pairs of each head: x [tokens, heads, head size], computed in float32. */
export function rotate(x: Tensor, { cos, sin }: RotaryTable): Tensor {
  return rotaryEmbedding(x, cos, sin);
}
