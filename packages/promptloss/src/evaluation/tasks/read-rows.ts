// A task's rows, from the data folder or, without one, from its dataset on the Hugging Face hub. A file that is not
// there is an error that says what to fetch.
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { type HubOptions, resolveFiles } from "../../data/rows/index.ts";
import { EvaluationError, TaskDataError } from "../errors.ts";
import { readFileRows } from "./file-rows.ts";
import type { Row } from "./render.ts";
import type { EvaluationTask } from "./schema.ts";

export type Split = "test" | "validation" | "train";

/** Where tasks' rows are. */
export interface TaskData {
  /** The folder that tasks' files are under; each task's dataset on the hub where left out. */
  readonly folder?: string | undefined;
  readonly hub?: HubOptions | undefined;
}

export interface TaskRows {
  readonly split: Split;
  /** The file, or the dataset's files. */
  readonly file: string;
  readonly rows: readonly Row[];
}

/** The rows that are evaluated: the test split where it is there, the validation split otherwise. */
export function readTaskRows(task: EvaluationTask, data: TaskData): Promise<TaskRows> {
  const declared = (["test", "validation"] as const).filter((split) => task.data[split] !== undefined);
  const split =
    data.folder === undefined
      ? declared[0]!
      : (declared.find((each) => existsSync(pathOf(task, each, data.folder!))) ?? declared[0]!);
  return readSplit(task, split, data);
}

/** Where few-shot examples come from: train, validation or test, the first that the task has. */
export function shotSplit(task: EvaluationTask): Split {
  return (["train", "validation", "test"] as const).find((split) => task.data[split] !== undefined)!;
}

function pathOf(task: EvaluationTask, split: Split, folder: string): string {
  const file = task.data[split]!;
  return isAbsolute(file) ? file : join(folder, file);
}

/**
 * @throws {TaskDataError} for a file that is missing or holds a row that can't be read
 * @throws {DataError} for a hub out of reach, and for a dataset, configuration or split that is not there
 */
export function readSplit(task: EvaluationTask, split: Split, data: TaskData): Promise<TaskRows> {
  return data.folder === undefined ? ofHub(task, split, data.hub) : ofFolder(task, split, data.folder);
}

async function ofFolder(task: EvaluationTask, split: Split, folder: string): Promise<TaskRows> {
  const file = pathOf(task, split, folder);
  if (!existsSync(file)) {
    const elsewhere = task.data.hub === undefined ? "" : ", or leave it out to take the rows from the hub";
    throw new TaskDataError(file, `${task.task} has its ${split} rows there, and there is no such file`, {
      hint: `fetch ${task.data.fetch ?? "it"} and put it at ${file}, one JSON object a line; or name another folder as the data${elsewhere}`,
    });
  }
  return { split, file, rows: await readFileRows([{ path: file, name: file }]) };
}

async function ofHub(task: EvaluationTask, split: Split, hub: HubOptions = {}): Promise<TaskRows> {
  const { hub: dataset, fetch } = task.data;
  if (dataset === undefined)
    throw new EvaluationError(`${task.task} names no dataset of the hub, and there is no folder of data`, {
      hint: `name the folder that has ${fetch ?? task.data[split]}`,
    });
  const { id, config, revision, row } = dataset;
  const source = { path: id, split, ...(config && { config }), ...(revision && { revision }) };
  const files = await resolveFiles(source, hub, () => {});
  return { split, file: files.map(({ name }) => name).join(", "), rows: await readFileRows(files, row) };
}
