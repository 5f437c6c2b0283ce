// What a training run tells as it goes: one JSON object a line, on the standard output of the training process and,
// for steps and evaluations, in metrics.jsonl. A terminal, a study or a page follows it. docs/training.md lists it.

import type { ProductDtype } from "../../dtypes.ts";
import type { Measured, PartMeans } from "../../loss/part-sums.ts";

/**
 * Unweighted means by part of the rows, a field each: `prompt`, `content` (the completion without what ends it), `end`,
 * and `completion`, which is content and end together. Left out for a part without tokens, and on steps that did not
 * measure all of it: tokens of weight 0 are measured on logged steps only.
 */
export type PartMetrics = Readonly<Partial<Record<Measured, PartMeans>>>;

export interface StartEvent {
  readonly type: "start";
  readonly run: string;
  readonly model: string;
  readonly parameters: number;
  readonly trainable: number;
  readonly rows: number;
  readonly heldOutRows: number;
  /** Tokens of one epoch. */
  readonly tokens: number;
  readonly epochs: number;
  readonly steps: number;
  /** The step that the run goes on from; 0 for a new one. */
  readonly firstStep: number;
  readonly promptLossWeight: number;
  readonly normalization: string;
  readonly device: string;
  readonly precision: ProductDtype;
  /** Of each process. */
  readonly threads: number;
  /** That train together; left out for one. */
  readonly processes?: number;
  /** What was decided for the user, and what he should know of the data. */
  readonly notes: readonly string[];
}

export interface StepEvent extends PartMetrics {
  readonly type: "step";
  /** From 1: the steps done. */
  readonly step: number;
  readonly epoch: number;
  /** The weighted, normalized loss, without penalties. */
  readonly loss: number;
  /** What `kl` and `minkowski` add to the loss; left out where there is neither. */
  readonly penalty?: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Of this step. */
  readonly tokens: number;
  readonly seconds: number;
  /** Resident memory of the process in bytes. */
  readonly memory: number;
}

export interface EvaluationEvent extends PartMetrics {
  readonly type: "evaluation";
  readonly step: number;
  readonly loss: number;
  /** Whether it is the best so far. */
  readonly best: boolean;
  readonly seconds: number;
}

export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly step: number;
  readonly path: string;
}

/** Data on its way from the Hugging Face hub, before the start. */
export interface DownloadEvent {
  readonly type: "download";
  readonly file: string;
  /** Bytes. */
  readonly loaded: number;
  readonly total: number;
}

/** What goes on between the other events, a few times a second; in no file of the run. */
export interface ProgressEvent {
  readonly type: "progress";
  readonly phase: ProgressPhase;
  /** Rows so far. */
  readonly done: number;
  /** Left out where it is not known yet. */
  readonly total?: number;
  /** Of the data's bytes, from 0 to 1, while rows are tokenized. */
  readonly share?: number;
}

export type ProgressPhase = "tokenizing" | "weighing" | "loading" | "reference" | "evaluating";

export interface NoteEvent {
  readonly type: "note";
  readonly message: string;
}

/** That something beside the run doesn't work, which goes on without it. */
export interface WarningEvent {
  readonly type: "warning";
  /** As `logging.reportTo` names it. */
  readonly sink: string;
  readonly message: string;
  readonly hint?: string;
}

/** How training ends where nothing goes wrong. */
export type RunEndReason = "completed" | "stopped-early" | "interrupted";

export type EndReason = RunEndReason | "failed";

export interface EndEvent {
  readonly type: "end";
  readonly reason: RunEndReason;
  readonly step: number;
  readonly seconds: number;
  /** The model's folder; left out where the run was interrupted. */
  readonly model?: string;
  /** The step whose weights the model has: the last, or the best; left out where the run was interrupted. */
  readonly writtenStep?: number;
  /** The highest resident memory in bytes. */
  readonly peakMemory: number;
}

export interface ErrorEvent {
  readonly type: "error";
  readonly name: string;
  readonly message: string;
  readonly hint?: string;
}

export type TrainingEvent =
  | StartEvent
  | StepEvent
  | EvaluationEvent
  | CheckpointEvent
  | DownloadEvent
  | ProgressEvent
  | NoteEvent
  | WarningEvent
  | EndEvent
  | ErrorEvent;

export type EventListener = (event: TrainingEvent) => void;
