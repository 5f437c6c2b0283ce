// Tests of paired differences: McNemar's exact test for scores of 0 and 1, the sign test for others, and percentile
// intervals from a paired bootstrap.

import { sumStatistics } from "../metrics/text-metrics.ts";
import { PythonRandom } from "../requests/python-random.ts";

export interface PairedTest {
  readonly name: "mcnemar" | "sign";
  /** Items for which a is higher, and b. */
  readonly aHigher: number;
  readonly bHigher: number;
  /** Two-sided, exact. */
  readonly p: number;
}

/** 2 · P(X ≤ min(a, b)) for X binomial of a + b fair draws, at most 1. Sums in logarithms, so that large counts hold. */
export function binomialTwoSided(a: number, b: number): number {
  const n = a + b;
  const least = Math.min(a, b);
  let logTerm = -n * Math.LN2;
  let sum = 0;
  for (let k = 0; k <= least; k++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log(n - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * sum);
}

/** McNemar's where every value is 0 or 1; both are the sign test of the items that differ. */
export function pairedTest(a: readonly number[], b: readonly number[]): PairedTest {
  const binary = [...a, ...b].every((value) => value === 0 || value === 1);
  const aHigher = a.filter((value, i) => value > b[i]!).length;
  const bHigher = a.filter((value, i) => value < b[i]!).length;
  return { name: binary ? "mcnemar" : "sign", aHigher, bHigher, p: binomialTwoSided(aHigher, bHigher) };
}

/** The middle so much of sorted values, linear between them. */
export function percentileInterval(values: readonly number[], level: number): [number, number] {
  const sorted = [...values].sort((x, y) => x - y);
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
    return below + (place - Math.floor(place)) * (above - below);
  };
  return [at((1 - level) / 2), at((1 + level) / 2)];
}

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
  readonly level: number;
}

/** Of the difference b − a of two scores, the same items drawn for both. */
export function pairedBootstrap(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  scoreOf: (sums: readonly number[], items: number) => number,
  { resamples, seed, level }: BootstrapOptions,
): [number, number] {
  const generator = new PythonRandom(seed);
  const differences = Array.from({ length: resamples }, () => {
    const places = generator.choices(a.length, a.length);
    const score = (all: readonly (readonly number[])[]): number =>
      scoreOf(sumStatistics(places.map((place) => all[place]!)), places.length);
    return score(b) - score(a);
  });
  return percentileInterval(differences, level);
}
