// Means with their intervals, of regrets and of paired differences.

export interface Mean {
  readonly mean: number;
  /** Half the width of a 95 % interval, by the normal. */
  readonly half: number;
  readonly n: number;
}

export function meanOf(values: readonly number[]): Mean {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, half: 1.96 * Math.sqrt(variance / values.length), n: values.length };
}

export function inWords({ mean, half }: Mean): string {
  return `${mean.toFixed(3)} ± ${half.toFixed(3)}`;
}
