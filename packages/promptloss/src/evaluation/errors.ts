// What goes wrong with evaluations: task files, their data, items that a model can't score.
import { ConfigFileError } from "../config-file/index.ts";
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

/** The base of every error of an evaluation. */
export class EvaluationError extends PromptlossError {}

/** Every problem of a task file at once, each with its line. */
export class TaskFileError extends ConfigFileError {}

export interface TaskDataErrorOptions extends PromptlossErrorOptions {
  /** From 1. */
  readonly row?: number;
}

/** A task's data that is missing, or a row that the task can't make an item of. */
export class TaskDataError extends EvaluationError {
  readonly file: string;
  readonly row: number | undefined;

  constructor(file: string, problem: string, { row, ...rest }: TaskDataErrorOptions = {}) {
    super(`${file}${row === undefined ? "" : `, row ${row}`}: ${problem}`, rest);
    this.file = file;
    this.row = row;
  }
}

/** An item that a model can't score, or settings that a task can't take. */
export class ScoringError extends EvaluationError {
  readonly task: string;
  /** From 0. */
  readonly item: number | undefined;

  constructor(
    task: string,
    problem: string,
    { item, ...rest }: PromptlossErrorOptions & { item?: number } = {},
  ) {
    super(`${task}${item === undefined ? "" : `, item ${item}`}: ${problem}`, rest);
    this.task = task;
    this.item = item;
  }
}
