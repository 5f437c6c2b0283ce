// What can end a training run: settings that make no sense, a loss that is no number, a checkpoint that cannot be
// trusted.
import type { RowSource } from "../data/example.ts";
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

export class TrainingError extends PromptlossError {}

/** The loss or a gradient is not finite. */
export class DivergenceError extends TrainingError {
  readonly step: number;
  /** Rows of the batch. */
  readonly sources: readonly RowSource[];

  constructor(
    what: string,
    step: number,
    sources: readonly RowSource[],
    options: PromptlossErrorOptions = {},
  ) {
    const named = sources.slice(0, 3).map(({ file, row }) => `${file}, row ${row}`);
    const more = sources.length > named.length ? ` and ${sources.length - named.length} more` : "";
    super(`step ${step}: ${what}; the batch was ${named.join("; ")}${more}`, {
      hint: "lower training.learningRate, or lengthen the warm-up; the last checkpoint is as it was",
      ...options,
    });
    this.step = step;
    this.sources = sources;
  }
}

/** A measured loss that is not finite: of the model's weights, or of a row. */
export class NonFiniteLossError extends TrainingError {
  readonly source: RowSource;

  constructor(source: RowSource, value: number) {
    super(`${source.file}, row ${source.row}: the model's loss is ${value}`, {
      hint: "weights that are not finite give this on every row; else look at the row with promptloss preview",
    });
    this.source = source;
  }
}

export type CheckpointFault = "missing" | "damaged" | "foreign";

/** A checkpoint that can't be resumed from. */
export class CheckpointError extends TrainingError {
  readonly path: string;
  readonly fault: CheckpointFault;

  constructor(path: string, fault: CheckpointFault, message: string, options: PromptlossErrorOptions = {}) {
    super(`checkpoint ${path}: ${message}`, options);
    this.path = path;
    this.fault = fault;
  }
}
