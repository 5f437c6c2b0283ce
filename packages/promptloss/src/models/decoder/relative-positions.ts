// Relative positions as T5 has them (Raffel et al., 2020, section 2.1): a learned number for each head and bucket of
// distances is added to the scores of attention, the same in all layers. Near distances have buckets of their own, far
// ones share them on a logarithmic scale.
import { embedding, scope, type Tensor, upload } from "@promptloss/torch";
import type { RelativePositions } from "../config/architecture.ts";

// As transformers computes them, in float32: a distance at a bucket's border falls to the same side.
const { fround } = Math;

/** The bucket of a distance, key's position − query's. */
export function relativeBucket(distance: number, plan: RelativePositions): number {
  const { bidirectional, maxDistance } = plan;
  const buckets = bidirectional ? Math.trunc(plan.buckets / 2) : plan.buckets;
  const offset = bidirectional && distance > 0 ? buckets : 0;
  const length = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.trunc(buckets / 2);
  if (length < exact) return offset + length;
  const share = fround(fround(Math.log(fround(length / exact))) / fround(Math.log(maxDistance / exact)));
  const far = exact + Math.trunc(fround(share * (buckets - exact)));
  return offset + Math.min(far, buckets - 1);
}

/** The numbers that a stack adds to its scores. */
export class RelativeBias {
  readonly #plan: RelativePositions;
  /** [buckets, heads]. */
  readonly #weight: Tensor;
  #table: Tensor | undefined;

  constructor(plan: RelativePositions, weight: Tensor) {
    this.#plan = plan;
    this.#weight = weight;
  }

  /** [1, heads, queries, past + queries] of queries behind `past` others. @param longest keys of any later call */
  ofSequence(past: number, queries: number, longest: number): Tensor {
    this.#table ??= this.#of(
      Array.from({ length: longest }, (_, query) => query),
      longest,
    ).permute([2, 0, 1]);
    return this.#table
      .narrow(1, past, queries)
      .narrow(2, 0, past + queries)
      .unsqueeze(0);
  }

  /** [sequences, heads, 1, keys] of one query each, at these positions. */
  ofStep(positions: readonly number[], keys: number): Tensor {
    return this.#of(positions, keys).permute([0, 2, 1]).unsqueeze(2);
  }

  /** [queries, keys, heads]. */
  #of(positions: readonly number[], keys: number): Tensor {
    return scope(() => {
      const ids = new BigInt64Array(positions.length * keys);
      positions.forEach((position, row) => {
        for (let key = 0; key < keys; key++)
          ids[row * keys + key] = BigInt(relativeBucket(key - position, this.#plan));
      });
      const index = upload([ids], this.#weight.device)[0]!.reshape([positions.length, keys]);
      return embedding(this.#weight, index);
    });
  }
}
