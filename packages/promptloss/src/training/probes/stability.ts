// How steady the training loss was: its relative standard deviation, sd / mean over the steps, which the paper reads
// against PLW. Pure.
import type { MetricsLine } from "../events/metrics-file.ts";

export interface Stability {
  readonly steps: number;
  readonly mean: number;
  /** Of the sample: divided by steps − 1. */
  readonly sd: number;
  /** sd / mean. */
  readonly relativeSd: number;
}

/** Undefined for fewer than two steps. */
export const stabilityOf = (lines: readonly MetricsLine[]): Stability | undefined => {
  const losses = lines.filter(({ type }) => type === "step").map(({ loss }) => loss);
  if (losses.length < 2) return undefined;
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const squares = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0);
  const sd = Math.sqrt(squares / (losses.length - 1));
  return { steps: losses.length, mean, sd, relativeSd: sd / mean };
};
