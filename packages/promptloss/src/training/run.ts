// A training run made ready: model, rows, batches and settings, all checked. What `train` takes, and what a dry run
// prints.
import type { DType } from "@promptloss/torch";
import type { RowSet } from "../data/row-subset.ts";
import type { Template } from "../data/templates/index.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import type { CorruptRow } from "../data-plan/prompt-sides.ts";
import type { BatchReweighting, LossMetric, NormalizationSettings, Reweighting } from "../loss/index.ts";
import type { CausalLanguageModel } from "../models/decoder/model.ts";
import type { Recipe } from "../recipe/index.ts";
import type { AdamWSettings } from "./adamw.ts";
import type { BatchPlan, MicroBatchSettings } from "./batches.ts";
import type { Interval } from "./interval.ts";
import type { MinkowskiSettings } from "./penalties/index.ts";
import type { ForgettingInputs } from "./probes/forgetting.ts";
import type { ScheduleSettings } from "./schedule.ts";
import type { Shards } from "./sharding/index.ts";

export interface RunSettings {
  readonly normalization: NormalizationSettings;
  readonly reduceOver: "batch" | "micro-batch";
  readonly microBatch: MicroBatchSettings;
  readonly labelSmoothing: number;
  readonly reweighting: Reweighting | BatchReweighting | undefined;
  readonly optimizer: AdamWSettings;
  readonly schedule: ScheduleSettings;
  /** Undefined for no clipping. */
  readonly maxGradNorm: number | undefined;
  /** The dtype of matrix products; undefined for that of the weights. */
  readonly compute: DType | undefined;
  readonly gradientCheckpointing: boolean;
  readonly dropout: number | undefined;
  readonly neftuneAlpha: number | undefined;
  readonly minkowski: MinkowskiSettings | undefined;
  readonly kl: { readonly coefficient: number } | undefined;
  readonly logEvery: number;
  readonly evaluation:
    | {
        readonly every: Interval;
        /** What makes one evaluation better than another. */
        readonly metric: LossMetric;
        readonly patience: number | undefined;
        readonly keepBest: boolean;
      }
    | undefined;
  readonly checkpoints: { readonly every: Interval; readonly keep: number };
  readonly seed: number;
}

export interface TrainingRun {
  readonly recipe: Recipe;
  /** The run's folder. */
  readonly output: string;
  readonly model: CausalLanguageModel;
  /** How its processes divide what is trained; undefined where each has all of it. */
  readonly shards: Shards | undefined;
  /** Undefined where the folder has none and all rows are ids. */
  readonly tokenizer: Tokenizer | undefined;
  /** What conversations are laid out with; undefined where all rows are texts or ids as they are. */
  readonly template: Template | undefined;
  readonly rows: RowSet;
  readonly heldOut: RowSet | undefined;
  /** Of a model whose decoder restores prompts: what it is given of a row in an epoch, beside the row. */
  readonly corrupt?: CorruptRow | undefined;
  readonly batches: BatchPlan;
  readonly promptLossWeight: number;
  readonly settings: RunSettings;
  /** That train together. */
  readonly processes: number;
  /** Hash of all that decides on the result. */
  readonly fingerprint: string;
  readonly dataHash: string;
  readonly modelHash: string;
  /** Of the reference model's config and weights, where the loss looks at one. */
  readonly referenceHash: string | undefined;
  readonly notes: readonly string[];
  /** What `probes.forgetting` measures. */
  readonly forgetting: ForgettingInputs | undefined;
  /** Gives back what the run holds: weights and open files. */
  free(): void;
}
