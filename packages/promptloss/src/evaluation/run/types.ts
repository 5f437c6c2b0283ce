// What an evaluation is asked for, tells on the way and gives back. Plain data.
import type { DType } from "@promptloss/torch";
import type { HubOptions } from "../../data/rows/index.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import type { CausalLanguageModel, Storage } from "../../models/index.ts";
import type { EvaluationTask, ExampleOrder } from "../tasks/index.ts";

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
  /** How linear weights are kept; as the adapter was trained on them where left out, else in floats. */
  readonly storage?: Storage | undefined;
  readonly device?: string | undefined;
  /** Refuse a config with keys that are not known here, rather than note them. */
  readonly strict?: boolean | undefined;
  /** The first so many items of each task. */
  readonly limit?: number | undefined;
  /** Examples before each item; as the tasks say where left out. */
  readonly shots?: number | undefined;
  /** Of the examples' draws; 1234 where left out. */
  readonly shotSeed?: number | undefined;
  /** Which rows are examples: drawn for each item, or the first of their split; as the tasks say where left out. */
  readonly examples?: ExampleOrder | undefined;
  /** Tokens read of an item at most; all that the model reads where left out. Longer contexts lose their beginning. */
  readonly maxLength?: number | undefined;
  /** New tokens of a completion, in place of the tasks'. */
  readonly maxNewTokens?: number | undefined;
  /** Tokens read at once, about; 4,096 where left out. */
  readonly batchTokens?: number | undefined;
  /** A folder for scores.jsonl and records/; an evaluation that was cut short goes on there. */
  readonly output?: string | undefined;
  /** Leave records of an earlier evaluation in the folder aside, and begin anew. */
  readonly overwrite?: boolean | undefined;
  /** So many items of each task are told as `prompt` events before they are scored; none where left out. */
  readonly writeOut?: number | undefined;
  readonly onEvent?: ((event: EvaluateEvent) => void) | undefined;
  /** Ends after the batch at hand; what is done stays in the output folder. */
  readonly signal?: AbortSignal | undefined;
}

export type EvaluateEvent =
  /** What a user should know of the model. */
  | { readonly type: "note"; readonly note: string }
  | { readonly type: "task-start"; readonly task: string; readonly items: number; readonly done: number }
  | {
      readonly type: "prompt";
      readonly task: string;
      /** From 0. */
      readonly item: number;
      readonly request: ItemRequest;
      /** Whether the context is longer than what is read of it. */
      readonly truncated: boolean;
    }
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
  /** Where examples are not drawn: first, or "of the task" for rows that its file names. */
  readonly examples?: string;
  /** Where it is less than what the model reads. */
  readonly maxLength?: number;
  readonly limit?: number;
  readonly maxNewTokens?: number;
  /** Items whose context was cut from the left. */
  readonly truncated: number;
}

/** What a model is given for an item, as text and as token ids. */
export interface ItemRequest {
  /** One for all choices, or one for each where they differ. */
  readonly prompts: readonly string[];
  /** As they are read: without what was cut from the left. One for all choices, or one for each where they differ. */
  readonly promptIds: readonly (readonly number[])[];
  /** What is scored behind the prompt, one for each choice; of items that are scored. */
  readonly continuations?: readonly string[];
  /** White space at a prompt's end is the continuation's, as lm-evaluation-harness has it. */
  readonly continuationIds?: readonly (readonly number[])[];
}

/** A line of records/<task>.jsonl. */
export interface EvaluationRecord extends Partial<ItemRequest> {
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
  readonly completion?: string;
  /** The completion's tokens, those of a stop string and what follows it included. */
  readonly completionIds?: readonly number[];
  readonly references?: readonly string[];
}

export interface EvaluateResult {
  readonly scores: readonly EvaluationScore[];
  readonly records: Readonly<Record<string, readonly EvaluationRecord[]>>;
  /** Tasks that could not be run, and why. */
  readonly failures: readonly { readonly task: string; readonly error: Error }[];
}
