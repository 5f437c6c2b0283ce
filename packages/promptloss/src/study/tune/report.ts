// What a search says: each run as it ends, and the whole when it is done. Plain data.
export interface TuneRun {
  readonly plw: number;
  readonly learningRate: number;
  readonly other?: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** The objective's value, as the metric has it; NaN of a run that diverged. */
  readonly value: number;
  readonly tokens: number | undefined;
  /** Expected gain of the choice by this run when it was proposed; undefined in the design, and while all have one score. */
  readonly gain: number | undefined;
}

export type TuneEvent =
  | { readonly type: "propose"; readonly runs: readonly Omit<TuneRun, "value">[]; readonly done: number }
  | { readonly type: "run"; readonly run: TuneRun; readonly number: number }
  | { readonly type: "stop"; readonly reason: string }
  | { readonly type: "final"; readonly cells: number };

export interface TunedPoint {
  readonly plw: number;
  readonly learningRate: number;
  readonly other?: Readonly<Record<string, unknown>>;
  readonly expectedRegret: number;
  readonly probabilityBest: number;
}

export interface TestedArm extends Pick<TunedPoint, "plw" | "learningRate" | "other"> {
  readonly name: "choice" | "masked" | "unmasked";
  /** Of the test metric, a seed each; seeds that the search did not use. */
  readonly values: readonly number[];
  readonly mean: number;
}

export interface TuneReport {
  readonly objective: {
    readonly task: string;
    readonly metric: string;
    readonly unit: string;
    readonly higherIsBetter: boolean;
  };
  readonly runs: readonly TuneRun[];
  readonly stopped: string;
  readonly generationRatio: number | undefined;
  readonly choice: TunedPoint;
  /**
   * Whether the runs tell anything apart. Where all have one score they do not: regrets and the tolerance are then shares of
   * the gap between best and worst, and the prior's.
   */
  readonly isTold: boolean;
  /** By weight, at the learning rate and other keys of the choice. */
  readonly weights: readonly TunedPoint[];
  readonly within: { readonly tolerance: number; readonly weights: readonly number[] };
  readonly noise: number | undefined;
  readonly oneMoreRun:
    | (Pick<TunedPoint, "plw" | "learningRate" | "other"> & { readonly gain: number })
    | undefined;
  readonly test: {
    readonly task: string;
    readonly metric: string;
    readonly seeds: readonly number[];
    readonly arms: readonly TestedArm[];
  };
}

/** What the posterior says when the search has ended. */
export type Chosen = Pick<TuneReport, "choice" | "isTold" | "weights" | "within" | "noise" | "oneMoreRun"> & {
  /** The learning rate of least expected regret at the lowest and at the highest weight. */
  readonly ends: readonly TunedPoint[];
};
