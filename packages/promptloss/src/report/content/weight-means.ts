// Values at each weight → mean and interval. The spread within weights is pooled over all of them, so that two seeds a
// weight are enough for an interval of a usable width; where no weight has two values, the task's own standard error.
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { standardNormalQuantile } from "../../statistics/special.ts";

export interface WeightedValue {
  readonly plw: number;
  readonly wp: number;
  readonly value: number;
  readonly standardError: number | null;
}

export interface WeightMean {
  readonly plw: number;
  readonly wp: number;
  /** Number of values. */
  readonly count: number;
  readonly mean: number;
  /** Of the mean; undefined where nothing says how far it may be off. */
  readonly standardError: number | undefined;
  /** Undefined where nothing says how far the mean may be off. */
  readonly lower: number | undefined;
  readonly upper: number | undefined;
}

/** What intervals come from. */
export type IntervalSource = "replicates" | "task" | "none";

export interface WeightMeans {
  /** From the lowest weight. */
  readonly means: readonly WeightMean[];
  readonly intervals: IntervalSource;
}

/** @param level of the intervals, 0.95 */
export function weightMeans(values: readonly WeightedValue[], level: number): WeightMeans {
  const groups = new Map<number, WeightedValue[]>();
  for (const each of values.filter(({ value }) => Number.isFinite(value)))
    groups.set(each.plw, [...(groups.get(each.plw) ?? []), each]);
  const sorted = [...groups.values()].sort((a, b) => a[0]!.plw - b[0]!.plw);
  const freedom = sorted.reduce((sum, group) => sum + group.length - 1, 0);
  const squares = sorted.reduce((sum, group) => {
    const mean = meanOf(group);
    return sum + group.reduce((part, { value }) => part + (value - mean) ** 2, 0);
  }, 0);
  const tail = (1 + level) / 2;
  const quantile = freedom > 0 ? tQuantile(tail, freedom) : standardNormalQuantile(tail);
  const errorOf = (group: readonly WeightedValue[]): number | undefined => {
    if (freedom > 0) return Math.sqrt(squares / freedom / group.length);
    return group[0]!.standardError ?? undefined;
  };
  const means = sorted.map((group): WeightMean => {
    const mean = meanOf(group);
    const standardError = errorOf(group);
    const reach = standardError === undefined ? undefined : quantile * standardError;
    const [{ plw, wp }] = group as [WeightedValue];
    return {
      ...{ plw, wp, mean, standardError, count: group.length },
      lower: reach === undefined ? undefined : mean - reach,
      upper: reach === undefined ? undefined : mean + reach,
    };
  });
  const known = means.some(({ lower }) => lower !== undefined);
  return { means, intervals: freedom > 0 ? "replicates" : known ? "task" : "none" };
}

function meanOf(group: readonly WeightedValue[]): number {
  return group.reduce((sum, { value }) => sum + value, 0) / group.length;
}
