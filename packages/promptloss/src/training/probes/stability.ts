// How steady the training loss was: its relative standard deviation, sd / mean over the steps, which the paper reads
// against PLW; and the same without its trend, since a loss that falls far has a large sd however smoothly it falls. Pure.
import type { MetricsLine } from "../events/metrics-file.ts";

export interface Stability {
  readonly steps: number;
  readonly mean: number;
  /** Of the sample: divided by steps − 1. */
  readonly sd: number;
  /** sd / mean; undefined for a mean of 0. */
  readonly relativeSd: number | undefined;
  /** Of what one step differs from the next: (Σ (ℓ₍ᵢ₊₁₎ − ℓᵢ)² / 2(n − 1))^½ (von Neumann et al., 1941). */
  readonly detrendedSd: number;
  /** detrendedSd / mean; undefined for a mean of 0. */
  readonly relativeDetrendedSd: number | undefined;
}

/** Undefined for fewer than two steps. */
export function stabilityOf(lines: readonly MetricsLine[]): Stability | undefined {
  const losses = lines.filter(({ type }) => type === "step").map(({ loss }) => loss);
  if (losses.length < 2) return undefined;
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const squares = losses.reduce((sum, loss) => sum + (loss - mean) ** 2, 0);
  const sd = Math.sqrt(squares / (losses.length - 1));
  const differences = losses.slice(1).reduce((sum, loss, i) => sum + (loss - losses[i]!) ** 2, 0);
  const detrendedSd = Math.sqrt(differences / (2 * (losses.length - 1)));
  const relative = (value: number): number | undefined => (mean === 0 ? undefined : value / mean);
  return {
    steps: losses.length,
    mean,
    sd,
    relativeSd: relative(sd),
    detrendedSd,
    relativeDetrendedSd: relative(detrendedSd),
  };
}
