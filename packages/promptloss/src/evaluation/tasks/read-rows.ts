// A task's rows, from the data folder. A file that is not there is an error that says what to fetch.
import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { TaskDataError } from "../errors.ts";
import type { Row } from "./render.ts";
import type { EvaluationTask } from "./schema.ts";

export type Split = "test" | "validation" | "train";

export interface TaskRows {
  readonly split: Split;
  readonly file: string;
  readonly rows: readonly Row[];
}

/** The rows that are evaluated: the test split where it is there, the validation split otherwise. */
export const readTaskRows = (task: EvaluationTask, folder: string): TaskRows => {
  const declared = (["test", "validation"] as const).filter((split) => task.data[split] !== undefined);
  const split = declared.find((each) => existsSync(pathOf(task, each, folder))) ?? declared[0]!;
  return readSplit(task, split, folder);
};

/** Where few-shot examples come from: train, validation or test, the first that the task has. */
export const shotSplit = (task: EvaluationTask): Split =>
  (["train", "validation", "test"] as const).find((split) => task.data[split] !== undefined)!;

const pathOf = (task: EvaluationTask, split: Split, folder: string): string => {
  const file = task.data[split]!;
  return isAbsolute(file) ? file : join(folder, file);
};

/** @throws {TaskDataError} for a file that is missing or holds a line that is no JSON object */
export const readSplit = (task: EvaluationTask, split: Split, folder: string): TaskRows => {
  const file = pathOf(task, split, folder);
  if (!existsSync(file))
    throw new TaskDataError(file, `${task.task} has its ${split} rows there, and there is no such file`, {
      hint: `fetch ${task.data.fetch ?? "it"} and put it at ${file}, one JSON object a line; or name another folder as the data`,
    });
  const rows: Row[] = [];
  readFileSync(file, "utf8")
    .split("\n")
    .forEach((line, i) => {
      if (line.trim() === "") return;
      rows.push(parseRow(line, file, i + 1));
    });
  if (rows.length === 0) throw new TaskDataError(file, "there are no rows");
  return { split, file, rows };
};

const parseRow = (line: string, file: string, row: number): Row => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new TaskDataError(file, `is not JSON: ${(cause as Error).message}`, { row, cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Row;
  throw new TaskDataError(file, "is no JSON object", { row });
};
