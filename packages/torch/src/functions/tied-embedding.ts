// An embedding whose weight is the head's too, as one function: native/ops adds one gradient to the other in place.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = operator<[Tensor, Tensor]>("promptloss::tied_embedding");

export interface TiedEmbedding {
  /** The weight's rows at the indices, [tokens, units]. */
  readonly rows: Tensor;
  /** The weight once more, [entries, units], for the head. */
  readonly head: Tensor;
}

/**
 * The rows of `weight` at `indices`, and `weight` for the head that shares it. Same values and gradients as of
 * `embedding(weight, indices)` and `weight`, but no sum of two gradients of the whole vocabulary.
 *
 * @param weight [entries, units]
 * @param indices [tokens], int64
 */
export function tiedEmbedding(weight: Tensor, indices: Tensor): TiedEmbedding {
  const [rows, head] = native(weight, indices);
  return { rows, head };
}
