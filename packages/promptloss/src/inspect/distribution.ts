// Lengths in a few numbers. Pure.

export interface Histogram {
  /** Bin i holds lengths from edges[i] up to, but not including, edges[i + 1]; the last bin its upper edge too. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** Lengths in tokens. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  /** Of the sample, with n − 1; 0 for a single value. */
  readonly sd: number;
  readonly min: number;
  readonly max: number;
  /** By linear interpolation between the sorted values, as R's and NumPy's default. */
  readonly quantiles: Readonly<Record<"p5" | "p25" | "p50" | "p75" | "p95" | "p99", number>>;
  readonly histogram: Histogram;
}

const BINS = 16;

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}

/** Undefined for no values at all. */
export function distributionOf(values: ArrayLike<number>): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const average = mean(sorted);
  const squares = sorted.reduce((total, value) => total + (value - average) ** 2, 0);
  const quantile = (p: number): number => {
    const at = p * (sorted.length - 1);
    const below = sorted[Math.floor(at)]!;
    return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
  };
  return {
    count: sorted.length,
    mean: average,
    sd: sorted.length < 2 ? 0 : Math.sqrt(squares / (sorted.length - 1)),
    min: sorted[0]!,
    max: sorted.at(-1)!,
    quantiles: {
      p5: quantile(0.05),
      p25: quantile(0.25),
      p50: quantile(0.5),
      p75: quantile(0.75),
      p95: quantile(0.95),
      p99: quantile(0.99),
    },
    histogram: histogramOf(sorted, quantile(0.99)),
  };
}

/** Equal bins of whole tokens up to the 99th percentile; what is longer counts in the last. */
function histogramOf(sorted: Float64Array, top: number): Histogram {
  const low = Math.floor(sorted[0]!);
  const width = Math.max(1, Math.ceil((top - low + 1) / BINS));
  const bins = Math.max(1, Math.min(BINS, Math.ceil((top - low + 1) / width)));
  const counts = new Array<number>(bins).fill(0);
  for (const value of sorted) counts[Math.min(bins - 1, Math.floor((value - low) / width))]!++;
  const edges = Array.from({ length: bins + 1 }, (_, i) => low + i * width);
  edges[bins] = Math.max(edges[bins]!, sorted.at(-1)!);
  return { edges, counts };
}
