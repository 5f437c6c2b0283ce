// What a fine-tuning forgets: the loss on a text that has nothing to do with the training data, and scores in evaluation
// tasks, of the model as it was and as it is now, item by item. Both are measured alike, so that a model that was not
// changed has forgotten exactly nothing. Their records lie as `promptloss evaluate` writes them.
import { join } from "node:path";
import type { RowSet } from "../../data/row-subset.ts";
import type { DataSource } from "../../data/rows/index.ts";
import type { DataPlan } from "../../data-plan/index.ts";
import { type OpenData, type OpenDataOptions, openData } from "../../data-plan/index.ts";
import {
  buildItems,
  type EvaluationScore,
  type EvaluationTask,
  evaluate,
  loadTask,
  writeEvaluation,
} from "../../evaluation/index.ts";
import { type CausalLanguageModel, rowLosses } from "../../models/index.ts";
import type { Recipe } from "../../recipe/index.ts";
import { consecutive } from "../batches.ts";
import { TrainingError } from "../errors.ts";
import type { TrainingRun } from "../run.ts";
import { ofStart } from "./start-model.ts";

type Settings = NonNullable<Recipe["probes"]["forgetting"]>;

/** What is measured, opened and checked before the first step. Close it when done. */
export interface ForgettingInputs {
  readonly text: OpenData | undefined;
  readonly tasks: readonly EvaluationTask[];
  readonly data: string | undefined;
  readonly limit: number | undefined;
  /** What was cut or left out of the text. */
  readonly notes: readonly string[];
  close(): void;
}

export interface Forgotten {
  /** `text` for the text. */
  readonly task: string;
  /** `loss` for the text: nats a token, averaged over each item and then over the items. */
  readonly metric: string;
  readonly items: number;
  /** Of the model that training began with. */
  readonly before: number;
  /** Of the model that is written. */
  readonly after: number;
  /** By how much `after` is worse than `before`; below 0 where it is better. */
  readonly forgotten: number;
}

export const TEXT_TASK = "text";
const TEXT_METRIC = "loss";

/**
 * @throws {DataError}, {TaskFileError}, {EvaluationError} and their kin for texts and tasks that can't be used
 * @throws {TrainingError} for tasks without a tokenizer
 */
export async function openForgetting(
  { text, tasks: names = [], data, limit }: Settings,
  plan: DataPlan,
  { hasTokenizer, ...options }: OpenDataOptions & { readonly hasTokenizer: boolean },
): Promise<ForgettingInputs> {
  if (names.length > 0 && !hasTokenizer)
    throw new TrainingError("probes.forgetting.tasks: the model has no tokenizer to read tasks with");
  const tasks = names.map((name) => loadTask(name));
  if (tasks.some(({ task }) => task === TEXT_TASK))
    throw new TrainingError(`probes.forgetting.tasks: a task named ${TEXT_TASK}, as the text's records are`);
  // What can't be read is found now, and not after hours of training.
  for (const task of tasks)
    await buildItems(task, {
      data: { folder: data, hub: plan.read.hub },
      limit,
      shots: undefined,
      shotSeed: undefined,
      examples: undefined,
    });
  const opened =
    text === undefined
      ? undefined
      : await openData(
          {
            ...plan,
            sources: text as readonly DataSource[],
            heldOut: undefined,
            weights: { promptLossWeight: 1 },
          },
          options,
        );
  const notes = (opened?.notes ?? []).map((note) => `probes.forgetting.text: ${note}`);
  return { text: opened, tasks, data, limit, notes, close: () => opened?.close() };
}

/**
 * Writes the records of both models.
 * @param folder gets `before/` and `after/`
 * @param onNote told of a task that could not be scored
 */
export async function probeForgetting(
  run: TrainingRun,
  inputs: ForgettingInputs,
  folder: string,
  onNote: (message: string) => void,
): Promise<Forgotten[]> {
  const { model, recipe, output } = run;
  const measured = (of: CausalLanguageModel, name: string, side: string) =>
    measure(of, name, run, inputs, join(folder, side), onNote);
  const before = await ofStart(run, (start) => measured(start, recipe.model!, "before"));
  const after = await measured(model, output, "after");
  return before.flatMap((was): Forgotten[] => {
    const is = after.find(({ task, metric }) => task === was.task && metric === was.metric);
    if (is === undefined) return [];
    const { task, metric, n: items, higherIsBetter } = was;
    const worse = higherIsBetter ? was.value - is.value : is.value - was.value;
    // A model that did not change has 0 and not −0.
    return [{ task, metric, items, before: was.value, after: is.value, forgotten: worse + 0 }];
  });
}

async function measure(
  model: CausalLanguageModel,
  name: string,
  { tokenizer }: TrainingRun,
  { text, tasks, data, limit }: ForgettingInputs,
  folder: string,
  onNote: (message: string) => void,
): Promise<EvaluationScore[]> {
  const scores = text === undefined ? [] : [measureText(model, name, text.rows, folder)];
  if (tasks.length === 0) return scores;
  const done = await evaluate({
    model: { model, tokenizer: tokenizer!, name },
    ...{ tasks, data, limit, output: folder, overwrite: true },
  });
  for (const { task, error } of done.failures) onNote(`no probe of forgetting in ${task}: ${error.message}`);
  return [...scores, ...done.scores];
}

/** Rows in their order, in the same groups for every model. */
function measureText(
  model: CausalLanguageModel,
  name: string,
  rows: RowSet,
  folder: string,
): EvaluationScore {
  const losses: { loss: number; tokens: number }[] = [];
  for (const group of consecutive(rows))
    for (const { predictions } of rowLosses(model, group))
      losses.push({
        loss: predictions.losses.reduce((sum, loss) => sum + loss, 0),
        tokens: predictions.losses.length,
      });
  return writeEvaluation(folder, {
    task: TEXT_TASK,
    metric: TEXT_METRIC,
    higherIsBetter: false,
    model: name,
    dtype: model.head.dtype,
    records: losses.map(({ loss, tokens }, item) => ({
      item,
      metrics: { [TEXT_METRIC]: loss / tokens },
      logLikelihoods: [-loss],
    })),
  });
}
