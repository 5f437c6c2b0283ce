// What a design can show before anything runs: the difference between two levels' means that a two-sided t-test finds
// with 80 % probability, and what it would take to find a smaller one. Pure. Power by the noncentral t: the normal's
// power averaged over the estimate of the noise (Cohen, Statistical Power Analysis, 1988, ch. 2).
import tQuantile from "@stdlib/stats-base-dists-t-quantile";
import { comparisonDf, FEWEST_DF } from "../../statistics/rules.ts";
import { standardNormalBelow } from "../../statistics/special.ts";

export interface Noise {
  /** Standard deviation between runs that differ in their seed alone, in the metric's units. */
  readonly run: number;
  /** Standard deviation of a cell's score by the choice of items, in the same units; 0 for metrics without items. */
  readonly item: number;
}

export interface Design {
  /** Levels that are compared. */
  readonly levels: number;
  /** Cells of each level: seeds times the levels of all other factors. */
  readonly perLevel: number;
  /** Intercepts of other factors that the model spends. */
  readonly intercepts: number;
}

export interface PowerOptions {
  /** Of the test, two-sided; divide it by the number of tests for a corrected one. */
  readonly alpha: number;
  readonly power: number;
}

/** As the field has it. */
export const usualPower: PowerOptions = { alpha: 0.05, power: 0.8 };

/** Of a t-test between two levels, the noise pooled over all. */
export function residualDf({ levels, perLevel, intercepts }: Design): number {
  return levels * perLevel - levels - intercepts;
}

/** What `study results` judges by: every cell of a level is in a block of its own, with the other levels'. */
export function verdictDf({ levels, perLevel }: Omit<Design, "intercepts">): number {
  return Math.max(0, comparisonDf({ cells: levels * perLevel, blocks: perLevel, weights: levels }));
}

export function totalNoise({ run, item }: Noise): number {
  return Math.hypot(run, item);
}

/** Of a two-sided t-test for a difference in standard errors of the difference. */
export function powerOf(standardized: number, df: number, alpha: number): number {
  const critical = tQuantile(1 - alpha / 2, df);
  // Over s, the estimated noise over the true one: its density is that of √(χ²_df / df).
  const reach = 8 / Math.sqrt(2 * df);
  const [low, high] = [Math.max(1e-6, 1 - reach), 1 + reach];
  let [weight, power] = [0, 0];
  for (let i = 0; i < STEPS; i++) {
    const s = low + ((high - low) * (i + 0.5)) / STEPS;
    // Relative to its value at 1, which keeps it in range.
    const density = Math.exp((df - 1) * Math.log(s) - (df * (s * s - 1)) / 2);
    weight += density;
    power +=
      density *
      (standardNormalBelow(standardized - critical * s) + standardNormalBelow(-standardized - critical * s));
  }
  return power / weight;
}

const STEPS = 400;

/** The smallest difference that is found with the wanted probability; undefined without residual degrees of freedom. */
export function detectable(
  design: Design,
  noise: Noise,
  { alpha, power }: PowerOptions = usualPower,
): number | undefined {
  const df = residualDf(design);
  if (df < 1) return undefined;
  let [low, high] = [0, 1000];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (powerOf(middle, df, alpha) < power) low = middle;
    else high = middle;
  }
  return high * totalNoise(noise) * Math.sqrt(2 / design.perLevel);
}

/**
 * Seeds that find a difference, with enough residual degrees of freedom for a verdict; undefined above `most`.
 * @param others the levels of all other factors: cells of a level and seed
 */
export function seedsFor(
  difference: number,
  {
    levels,
    others,
    intercepts,
  }: { readonly levels: number; readonly others: number; readonly intercepts: number },
  noise: Noise,
  options: PowerOptions = usualPower,
  most = 1000,
): number | undefined {
  const enough = (seeds: number): boolean => {
    const design = { levels, perLevel: seeds * others, intercepts };
    const found = verdictDf(design) < FEWEST_DF ? undefined : detectable(design, noise, options);
    return found !== undefined && found <= difference;
  };
  if (!enough(most)) return undefined;
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Times as many items that find a difference with the design as it is; undefined where runs alone are too noisy. */
export function itemsFactorFor(
  difference: number,
  design: Design,
  noise: Noise,
  options: PowerOptions = usualPower,
): number | undefined {
  const unit = detectable(design, { run: 1, item: 0 }, options);
  if (unit === undefined || noise.item === 0) return undefined;
  const allowed = (difference / unit) ** 2 - noise.run ** 2;
  return allowed <= 0 ? undefined : Math.max(1, noise.item ** 2 / allowed);
}
