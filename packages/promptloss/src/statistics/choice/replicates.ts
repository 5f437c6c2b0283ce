// Runs at one place of one block, as their mean: exact for a Gaussian, and smaller by the number of seeds.
import type { Observation } from "./observations.ts";

export interface Collapsed {
  readonly observations: readonly Observation[];
  /** Runs behind each. */
  readonly counts: readonly number[];
  /** Squares of the runs around their means, and the degrees of freedom of that. */
  readonly within: { readonly squares: number; readonly df: number };
}

export function collapse(runs: readonly Observation[]): Collapsed {
  const places = new Map<string, Observation[]>();
  for (const run of runs) {
    const { wp, logRate, logRatio, block, other } = run;
    const key = JSON.stringify([wp, logRate, logRatio, block, other]);
    places.set(key, [...(places.get(key) ?? []), run]);
  }
  let squares = 0;
  const observations = [...places.values()].map((replicates) => {
    const mean = replicates.reduce((sum, { score }) => sum + score, 0) / replicates.length;
    for (const { score } of replicates) squares += (score - mean) ** 2;
    return { ...replicates[0]!, score: mean };
  });
  return {
    observations,
    counts: [...places.values()].map((replicates) => replicates.length),
    within: { squares, df: runs.length - observations.length },
  };
}
