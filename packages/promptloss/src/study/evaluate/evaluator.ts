// What a study needs of an evaluation: a task by name, a finished run in, scores out.
import { dirname, join } from "node:path";
import type { Recipe } from "../../recipe/index.ts";
import type { TaskGroup } from "../../statistics/index.ts";

export interface TaskScore {
  readonly metric: string;
  readonly value: number;
  /** Of the value; left out where the task has none. */
  readonly standardError?: number;
  /** How many items it is of; left out where it does not come from items. */
  readonly items?: number;
  /** What guessing scores; left out where that means nothing. */
  readonly chance?: number;
  readonly higherIsBetter: boolean;
  /** Whether it stands for its task in models. */
  readonly primary: boolean;
}

/** Where the evaluations of a cell's model keep their records, by the folder of its run. */
export function evaluationFolder(run: string): string {
  return join(dirname(run), "evaluation");
}

export interface EvaluationRequest {
  /** As the study file calls it. */
  readonly task: string;
  /** The task's own settings, from the study file. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The run's folder: manifest.json, metrics.jsonl, probes.json. */
  readonly run: string;
  /** The trained model's folder, or the adapter's. */
  readonly model: string;
  /** That the model was trained by. */
  readonly recipe: Recipe;
  /** Of the processor; all where undefined. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal;
}

export interface Evaluator {
  /** What the task counts as where the study file does not say. */
  readonly group?: TaskGroup;
  /** Names of its scores, one of which a study file may name as the task's `metric`; any name where left out. */
  readonly metrics?: readonly string[];
  /** What its scores depend on beside its options; another one makes cells be evaluated again. */
  readonly version?: string;
  /** Whether the trained model is read, and not the run's own records alone. */
  readonly readsModel: boolean;
  /** Options that are files or folders, by dotted path: taken from beside the study file where they exist there. */
  readonly paths?: readonly string[];
  /** Items that its scores will be of; undefined where that can't be told before it is run. Left out: never. */
  countItems?(options: Readonly<Record<string, unknown>>): Promise<number | undefined>;
  /** What is wrong with the options, or with the recipe of a cell that is to be evaluated; undefined for nothing. */
  refuse(options: Readonly<Record<string, unknown>>, recipe: Recipe): string | undefined;
  evaluate(request: EvaluationRequest): Promise<readonly TaskScore[]>;
}

/** Evaluators by task name. */
export type Evaluators = Readonly<Record<string, Evaluator>>;
