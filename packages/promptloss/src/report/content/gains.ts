// What a weight gains over the lowest and the highest that were tried, in the benchmark's own unit.
import type { PairedDifference, WeightFinding } from "../../statistics/index.ts";

export interface Gain {
  /** In the metric's own unit; positive is better. */
  readonly difference: number;
  readonly lower: number;
  readonly upper: number;
}

export interface Gains {
  /** The weight with the best mean. */
  readonly plw: number;
  /** Over the lowest weight that was tried; undefined where that is the best one, or nothing tells the noise. */
  readonly overLowest: Gain | undefined;
  readonly overHighest: Gain | undefined;
}

/** Of a benchmark's own finding. Intervals are corrected for all weights' differences from the two ends. */
export function gainsOf({ means, contrasts, evidence }: WeightFinding): Gains {
  const best = means.reduce((top, level) => (level.mean > top.mean ? level : top));
  const unit = evidence.scales[0]!.deviation;
  const over = (end: number): Gain | undefined => {
    if (best.plw === end) return undefined;
    const found = contrasts.find(
      ({ plw, versus }) => [plw, versus].includes(best.plw) && [plw, versus].includes(end),
    );
    return found && gain(found, found.plw === best.plw ? unit : -unit);
  };
  return { plw: best.plw, overLowest: over(means[0]!.plw), overHighest: over(means.at(-1)!.plw) };
}

function gain({ difference, lower, upper }: PairedDifference, unit: number): Gain {
  const ends = [lower * unit, upper * unit].sort((a, b) => a - b) as [number, number];
  return { difference: difference * unit, lower: ends[0], upper: ends[1] };
}
