// Which keys a query sees, as bool matrices: those before it, within the window, of its own sequence.
import { arange, type Tensor } from "@promptloss/torch";

/**
 * [queries, keys]: query i stands at position past + i and sees keys up to itself, at most `window` of them.
 * @param keys past + queries
 */
export function causalMask(
  queries: number,
  keys: number,
  window: number | undefined,
  device: string,
): Tensor {
  const at = arange(keys - queries, keys, 1, { device }).unsqueeze(1);
  const key = arange(0, keys, 1, { device }).unsqueeze(0);
  const before = key.le(at);
  return window === undefined ? before : before.logicalAnd(key.gt(at.sub(window)));
}

/** [sequences, 1, 1, keys]: one query a sequence, at its own last position. */
export function lastTokenMask(
  /** Positions of the queries, [sequences, 1] int64. */
  positions: Tensor,
  keys: number,
  window: number | undefined,
): Tensor {
  const key = arange(0, keys, 1, { device: positions.device }).unsqueeze(0);
  const before = key.le(positions);
  const seen = window === undefined ? before : before.logicalAnd(key.gt(positions.sub(window)));
  return seen.unsqueeze(1).unsqueeze(1);
}
