// Rules of what may be said, in one place: they hold for a study's findings and for the curve of one formula.

/** Fewer residual degrees of freedom carry no verdict. */
export const FEWEST_DF = 6;

/**
 * Residual degrees of freedom that a comparison of weights within blocks is judged by: what replicates leave where that
 * is enough for a verdict, else what a quadratic leaves. Blocks are what cells share but their weight, each seed one.
 */
export function comparisonDf({
  cells,
  blocks,
  weights,
}: {
  readonly cells: number;
  readonly blocks: number;
  readonly weights: number;
}): number {
  const replicates = cells - blocks - (weights - 1);
  return replicates >= FEWEST_DF ? replicates : cells - blocks - Math.min(weights - 1, 2);
}
