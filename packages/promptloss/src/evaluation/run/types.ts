// What an evaluation is asked for, tells on the way and gives back. Plain data.
import type { DType } from "@promptloss/torch";
import type { HubOptions } from "../../data/rows/index.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import type { CausalLanguageModel } from "../../models/index.ts";
import type { EvaluationTask } from "../tasks/index.ts";

/** A model that is loaded already; it stays so. */
export interface LoadedModel {
  readonly model: CausalLanguageModel;
  readonly tokenizer: Tokenizer;
  /** What records are told apart by; an evaluation of a model without one is not resumed. */
  readonly name?: string;
}

export interface EvaluateOptions {
  /** A model folder, an adapter's, the folder of a training run, or a loaded model. */
  readonly model: string | LoadedModel;
  /** Names of tasks that come with the package, task files (.yaml), or tasks. */
  readonly tasks: readonly (string | EvaluationTask)[];
  /** The folder that tasks' files are under; the tasks' datasets on the Hugging Face hub where left out. */
  readonly data?: string | undefined;
  /** The hub's address, cache, token and progress; as the environment says where left out. */
  readonly hub?: HubOptions | undefined;
  /** A PEFT folder. */
  readonly adapter?: string | undefined;
  /** Of the weights; float32 where left out. */
  readonly dtype?: DType | undefined;
  readonly device?: string | undefined;
  /** The first so many items of each task. */
  readonly limit?: number | undefined;
  /** Examples before each item; as the tasks say where left out. */
  readonly shots?: number | undefined;
  /** Of the examples' draws; 1234 where left out. */
  readonly shotSeed?: number | undefined;
  /** New tokens an answer, in place of the tasks'. */
  readonly maxNewTokens?: number | undefined;
  /** Tokens read at once, about; 4,096 where left out. */
  readonly batchTokens?: number | undefined;
  /** A folder for scores.jsonl and records/; an evaluation that was cut short goes on there. */
  readonly output?: string | undefined;
  /** Leave records of an earlier evaluation in the folder aside, and begin anew. */
  readonly overwrite?: boolean | undefined;
  readonly onEvent?: ((event: EvaluateEvent) => void) | undefined;
  /** Ends after the batch at hand; what is done stays in the output folder. */
  readonly signal?: AbortSignal | undefined;
}

export type EvaluateEvent =
  /** What a user should know of the model. */
  | { readonly type: "note"; readonly note: string }
  | { readonly type: "task-start"; readonly task: string; readonly items: number; readonly done: number }
  | { readonly type: "items"; readonly task: string; readonly done: number }
  | { readonly type: "task-end"; readonly task: string; readonly scores: readonly EvaluationScore[] }
  | { readonly type: "task-failed"; readonly task: string; readonly error: Error };

/** A line of scores.jsonl. */
export interface EvaluationScore {
  readonly task: string;
  readonly metric: string;
  readonly value: number;
  /** Of the mean, or bootstrapped for a corpus' score; left out of fewer than two items. */
  readonly standardError?: number;
  readonly n: number;
  /** What guessing scores: an item's share of right choices, averaged; of multiple-choice tasks. */
  readonly chance?: number;
  readonly higherIsBetter: boolean;
  /** The task's first metric, which stands for it. */
  readonly primary: boolean;
  readonly settings: EvaluationSettings;
  readonly versions: Readonly<Record<string, string>>;
}

export interface EvaluationSettings {
  readonly model: string;
  readonly adapter?: string;
  readonly dtype: string;
  readonly taskVersion: number;
  readonly split: string;
  readonly shots: number;
  readonly shotSeed?: number;
  readonly limit?: number;
  readonly maxNewTokens?: number;
  /** Items whose context was cut from the left. */
  readonly truncated: number;
}

/** A line of records/<task>.jsonl. */
export interface EvaluationRecord {
  /** From 0, the row's place in its file. */
  readonly item: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Of corpus metrics: what is summed over the items. */
  readonly statistics?: Readonly<Record<string, readonly number[]>>;
  readonly truncated?: true;
  readonly logLikelihoods?: readonly number[];
  /** Places of the right choices. */
  readonly right?: readonly number[];
  readonly greedy?: readonly boolean[];
  readonly answer?: string;
  readonly references?: readonly string[];
}

export interface EvaluateResult {
  readonly scores: readonly EvaluationScore[];
  readonly records: Readonly<Record<string, readonly EvaluationRecord[]>>;
  /** Tasks that could not be run, and why. */
  readonly failures: readonly { readonly task: string; readonly error: Error }[];
}
