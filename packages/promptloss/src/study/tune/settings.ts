// What a search is over, and what it may cost.
import type { KnownNoise } from "../../statistics/index.ts";

export interface TuneSettings {
  /** A recipe file. */
  readonly recipe: string;
  /** Values in place of the recipe's, as `training.epochs=1`, for all runs. */
  readonly set?: readonly string[];
  /** The folder of the search: search.yaml, search/, final.yaml, final/, tune.json. */
  readonly output: string;
  /** Prompt loss weights, ascending. */
  readonly weights: readonly number[];
  /** Ascending; undefined for the recipe's, and a third and three times of it. */
  readonly learningRates: readonly number[] | undefined;
  /** Values of other recipe keys that are searched, crossed. */
  readonly keys: Readonly<Record<string, readonly unknown[]>>;
  /** "task" or "task metric"; on rows or items that the test does not have. */
  readonly objective: string;
  readonly taskData: string | undefined;
  /** Where the choice is tested: rows of their own for `held-out`, or another task. */
  readonly test: { readonly data: string } | { readonly task: string };
  /** At least one bounds the search. */
  readonly budget: {
    readonly runs: number | undefined;
    readonly tokens: number | undefined;
    readonly hours: number | undefined;
  };
  /** The search stops where one more run is expected to gain less, in the objective's units. */
  readonly tolerance: number;
  /** Runs proposed at a time. */
  readonly batch: number;
  readonly finalSeeds: number;
  readonly seed: number;
  readonly noise: KnownNoise | undefined;
  /** A study file's `slurm` section. */
  readonly slurm: unknown;
}

/** What decides on the proposals: a search is resumed with the same of these alone. */
export function decisive({
  set = [],
  weights,
  learningRates,
  keys,
  objective,
  batch,
  seed,
  noise,
}: TuneSettings): object {
  const given = set.length > 0 ? { set } : {};
  return JSON.parse(
    JSON.stringify({ ...given, weights, learningRates, keys, objective, batch, seed, noise }),
  ) as object;
}
