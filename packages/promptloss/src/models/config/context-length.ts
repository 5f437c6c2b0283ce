import type { Architecture } from "./architecture.ts";

/**
 * Tokens that a model can read of a row or a dialogue, prompt and completion together. Where an encoder's positions are
 * learned, one of them is for the end of what it reads, or for the start of what the decoder does.
 */
export function contextLength({ maxPositions, ropes, encoder, positionOffset }: Architecture): number {
  const own = encoder !== undefined && positionOffset !== undefined ? 1 : 0;
  return Math.min(maxPositions - own, ...ropes.flatMap(({ limit }) => limit ?? []));
}
