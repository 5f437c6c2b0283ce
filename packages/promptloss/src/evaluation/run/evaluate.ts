// Tasks on a model: rows into items, items through the model, records as they come, scores at the end. A task that
// can't be run does not keep the others from it.
import { libtorch } from "@promptloss/torch";
import { PromptlossError } from "../../errors.ts";
import { checkOutputFolder, protectInputs } from "../../files/output.ts";
import { resolveModelPaths } from "../../generation/text/model-folder.ts";
import { version } from "../../version.ts";
import { EvaluationError, ScoringError } from "../errors.ts";
import { buildItems, type TaskItems } from "../requests/build-items.ts";
import type { ChoiceItem, GenerationItem, LikelihoodItem } from "../requests/item.ts";
import { type EvaluationTask, EXAMPLE_ORDERS, loadTask } from "../tasks/index.ts";
import { completeItems, completionRoom } from "./complete-items.ts";
import { type EvaluatedModel, openModel } from "./model.ts";
import { RecordFile, recordsFolder, scoresFile, writeScores } from "./records.ts";
import { requestOf } from "./request.ts";
import { type PlacedItem, scoreItems } from "./score-items.ts";
import { chanceLevel, metricValue } from "./scores.ts";
import type {
  EvaluateOptions,
  EvaluateResult,
  EvaluationRecord,
  EvaluationScore,
  EvaluationSettings,
} from "./types.ts";

/**
 * Evaluates a model.
 * @throws {EvaluationError} for names and files that are no tasks, {ModelError} for a model that can't be loaded; what
 *   goes wrong with one task is among the failures
 * @example
 * ```ts
 * import { evaluate } from "promptloss";
 *
 * const { scores } = await evaluate({ model: "model", tasks: ["quiz.yaml"], data: ".", limit: 4 });
 * for (const { task, metric, value } of scores) console.log(`${task} ${metric}: ${value}`);
 * ```
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluateResult> {
  const tasks = options.tasks.map((task) => (typeof task === "string" ? loadTask(task) : task));
  checkOptions(options, tasks);
  checkOutput(options);
  const model = await openModel(options);
  for (const note of model.model.notes) options.onEvent?.({ type: "note", note });
  const scores: EvaluationScore[] = [];
  const records: Record<string, readonly EvaluationRecord[]> = {};
  const failures: { task: string; error: Error }[] = [];
  try {
    for (const task of tasks) {
      if (options.signal?.aborted) break;
      try {
        const done = await evaluateTask(task, model, options);
        if (done === undefined) break;
        scores.push(...done.scores);
        records[task.task] = done.records;
        options.onEvent?.({ type: "task-end", task: task.task, scores: done.scores });
      } catch (error) {
        // What is no mistake of the data or the task is a bug, and shows itself as one.
        if (!(error instanceof PromptlossError)) throw error;
        failures.push({ task: task.task, error });
        options.onEvent?.({ type: "task-failed", task: task.task, error });
      }
    }
  } finally {
    model.free();
  }
  return { scores, records, failures };
}

/** Before the weights are loaded, which takes its time. @throws {OutputError} */
function checkOutput({ output, model, adapter, tasks, data }: EvaluateOptions): void {
  if (output === undefined) return;
  checkOutputFolder(output);
  const folders =
    typeof model === "string" ? [model, ...Object.values(resolveModelPaths(model)).filter(isText)] : [];
  protectInputs(
    [scoresFile(output), recordsFolder(output)],
    [
      ...folders.map((path) => ({ what: "the model", path })),
      ...(adapter === undefined ? [] : [{ what: "the adapter", path: adapter }]),
      ...tasks.filter(isText).map((path) => ({ what: "a task", path })),
      ...(data === undefined ? [] : [{ what: "the tasks' data", path: data }]),
    ],
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function checkOptions(
  { limit, shots, shotSeed, examples, maxNewTokens, maxLength, batchTokens, writeOut }: EvaluateOptions,
  tasks: readonly EvaluationTask[],
): void {
  const counts = { limit, maxNewTokens, batchTokens, writeOut };
  for (const [name, value] of Object.entries(counts))
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1))
      throw new EvaluationError(`${name}: expected a whole number of 1 or more, got ${value}`);
  for (const [name, value] of Object.entries({ shots, shotSeed }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0 && value < 2 ** 32))
      throw new EvaluationError(`${name}: expected a whole number of 0 or more, got ${value}`);
  // One token of context and one that follows it, for a completion half of what is read.
  if (maxLength !== undefined && !(Number.isSafeInteger(maxLength) && maxLength >= 2))
    throw new EvaluationError(`maxLength: expected a whole number of 2 or more, got ${maxLength}`);
  if (examples !== undefined && !EXAMPLE_ORDERS.includes(examples))
    throw new EvaluationError(`examples: expected ${EXAMPLE_ORDERS.join(" or ")}, got ${examples}`);
  if (examples !== undefined && tasks.every((task) => task.fixedShots || (shots ?? task.shots) === 0))
    throw new EvaluationError("examples: none of the tasks has any", { hint: "give a number of shots" });
  const names = tasks.map(({ task }) => task);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (names.length === 0 || twice !== undefined)
    throw new EvaluationError(twice === undefined ? "there are no tasks" : `the task ${twice} comes twice`);
  if (maxNewTokens !== undefined && !tasks.some(({ kind }) => kind === "generation"))
    throw new EvaluationError("maxNewTokens: none of the tasks generates", { hint: "leave it out" });
}

/** Undefined where the signal cut it short. */
async function evaluateTask(
  task: EvaluationTask,
  model: EvaluatedModel,
  options: EvaluateOptions,
): Promise<{ scores: EvaluationScore[]; records: EvaluationRecord[] } | undefined> {
  const {
    data: folder,
    hub,
    limit,
    shots,
    shotSeed,
    examples,
    output,
    overwrite = false,
    onEvent,
    signal,
    batchTokens,
  } = options;
  const built = await buildItems(task, { data: { folder, hub }, limit, shots, shotSeed, examples });
  const room =
    task.kind === "generation" ? completionRoom(model, options.maxNewTokens ?? task.maxNewTokens) : undefined;
  const made = {
    model: model.identity,
    dtype: model.dtype,
    task,
    shots: built.shots,
    shotSeed: built.drawn ? shotSeed : undefined,
    examples: built.shots > 0 ? examples : undefined,
    // Undefined, and so nothing in the fingerprint, where a model is read as far as it goes.
    maxLength: options.maxLength,
    file: built.file,
    room,
    version,
  };
  const file =
    output === undefined
      ? undefined
      : new RecordFile(output, task.task, model.identity === undefined ? undefined : made, overwrite);
  const done = new Map([...(file?.records ?? [])].filter(([index]) => index < built.items.length));
  const left = built.items.flatMap((item, index) => (done.has(index) ? [] : [{ index, item }]));
  for (const [index, item] of built.items.slice(0, options.writeOut ?? 0).entries()) {
    const lengths = { maxLength: model.maxLength, room };
    const shown = await requestOf(item, model.tokenizer, lengths);
    onEvent?.({ type: "prompt", task: task.task, item: index, ...shown });
  }
  onEvent?.({ type: "task-start", task: task.task, items: built.items.length, done: done.size });
  const onRecords = (records: readonly EvaluationRecord[]): void => {
    for (const record of records) done.set(record.item, record);
    file?.append(records);
    onEvent?.({ type: "items", task: task.task, done: done.size });
  };
  const how = { batchTokens, signal, onRecords };
  if (left.length > 0 && task.kind === "generation")
    await completeItems(task, model, left as PlacedItem<GenerationItem>[], { ...how, maxNewTokens: room! });
  else if (left.length > 0)
    await scoreItems(task, model, left as PlacedItem<ChoiceItem | LikelihoodItem>[], how);
  if (done.size < built.items.length) return undefined;
  const records = [...done.values()].sort((a, b) => a.item - b.item);
  file?.finish(records);
  const scores = scoresOf(task, records, settingsOf(task, model, built, records, options, room));
  if (output !== undefined) writeScores(output, task.task, scores);
  return { scores, records };
}

function settingsOf(
  task: EvaluationTask,
  { path, adapter, dtype }: EvaluatedModel,
  { split, shots, drawn }: TaskItems,
  records: readonly EvaluationRecord[],
  { limit, shotSeed = 1234, examples, maxLength }: EvaluateOptions,
  maxNewTokens: number | undefined,
): EvaluationSettings {
  return {
    model: path,
    ...(adapter !== undefined && { adapter }),
    dtype,
    taskVersion: task.version,
    split,
    shots,
    ...(drawn && { shotSeed }),
    ...(shots > 0 &&
      !drawn && { examples: examples ?? (task.examples === "first" ? "first" : "of the task") }),
    ...(maxLength !== undefined && { maxLength }),
    ...(limit !== undefined && { limit }),
    ...(maxNewTokens !== undefined && { maxNewTokens }),
    truncated: records.filter(({ truncated }) => truncated).length,
  };
}

function scoresOf(
  task: EvaluationTask,
  records: readonly EvaluationRecord[],
  settings: EvaluationSettings,
): EvaluationScore[] {
  const versions = { promptloss: version, libtorch: libtorch().version, node: process.version };
  return task.metrics.map((metric, i) => {
    const { value, standardError, higherIsBetter } = metricValue(task, metric, records);
    const [what, figure] = Number.isFinite(value)
      ? ([`the standard error of ${metric}`, standardError ?? 0] as const)
      : ([metric, value] as const);
    if (!Number.isFinite(figure))
      throw new ScoringError(task.task, `${what} is ${figure}, no finite number`, {
        hint: "its items' records show which of them are to blame",
      });
    const chance = task.kind === "multiple-choice" ? chanceLevel(records) : undefined;
    return {
      task: task.task,
      metric,
      value,
      ...(standardError !== undefined && { standardError }),
      n: records.length,
      ...(chance !== undefined && { chance }),
      higherIsBetter,
      primary: i === 0,
      settings,
      versions,
    };
  });
}
