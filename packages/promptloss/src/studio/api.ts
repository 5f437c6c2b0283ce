// What the studio's page is told: the shapes of all responses, which the page imports as types.

import type { CellStatus } from "../study/run/cell-place.ts";
import type { RunEndReason } from "../training/events/event.ts";
import type { Manifest, RunEnd } from "../training/manifest.ts";

/** `running`: a process holds the folder. `lost`: no process does, and the run did not say how it ended. */
export type RunState = RunEndReason | "running" | "failed" | "lost";

/** A run in a list. */
export interface RunCard {
  readonly id: string;
  /** The path below the studio's folder. */
  readonly name: string;
  /** The id of the study that it is a cell of. */
  readonly study: string | null;
  readonly state: RunState;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The model's folder or name, without where it lies. */
  readonly model: string;
  readonly promptLossWeight: number;
  readonly step: number;
  /** Of the whole run. */
  readonly steps: number;
  /** Of the last step; null before the first. */
  readonly loss: number | null;
  /** Of the last evaluation, where a line of it is among the last of the run's metrics. */
  readonly heldOutLoss: number | null;
  readonly tokensPerSecond: number | null;
  /** At the pace of the last steps; null for a run that does not run. */
  readonly secondsLeft: number | null;
}

/** A study in a list. */
export interface StudyCard {
  readonly id: string;
  /** Below the studio's folder. */
  readonly path: string;
  readonly name: string;
  readonly counts: Readonly<Record<CellStatus, number>>;
  readonly secondsLeft: number | null;
}

export interface StudyCell {
  readonly id: string;
  /** Labels by factor. */
  readonly levels: Readonly<Record<string, string | number>>;
  readonly status: CellStatus;
  readonly attempts: number;
  /** The id of its run, once it has begun. */
  readonly run: string;
  /** Of a running cell. */
  readonly phase: "training" | "evaluating" | null;
  readonly step: number | null;
  readonly steps: number | null;
  readonly loss: number | null;
  readonly failure: { readonly message: string; readonly hint: string | null } | null;
  /** By measure; null for a value that is no number. */
  readonly scores: Readonly<Record<string, number | null>>;
}

/** Topic `study:ID`. */
export interface StudyDetail extends StudyCard {
  readonly factors: readonly string[];
  readonly cells: readonly StudyCell[];
  readonly measures: readonly { readonly name: string; readonly higherIsBetter: boolean }[];
  /** Differs when the results do; null while there are none. */
  readonly results: string | null;
}

/** `GET studies/ID/analysis`: parts of the report, as HTML whose texts are escaped and that has no scripts. */
export interface StudyAnalysis {
  /** The results that it is of, as {@link StudyDetail} names them. */
  readonly results: string;
  readonly verdict: string;
  readonly scores: string;
}

/** Topic `overview`. */
export interface Overview {
  /** The studio's folder, by its name. */
  readonly folder: string;
  /** The newest first. */
  readonly runs: readonly RunCard[];
  readonly studies: readonly StudyCard[];
  /** Whether the folder holds more than is looked through. */
  readonly cut: boolean;
}

/** What a run's manifest says beside its recipe. */
export type RunFacts = Pick<
  Manifest,
  | "normalization"
  | "reduceOver"
  | "rows"
  | "heldOutRows"
  | "parameters"
  | "trainable"
  | "device"
  | "precision"
  | "threads"
  | "processes"
  | "seed"
  | "processor"
  | "platform"
  | "libtorch"
  | "promptloss"
  | "fingerprint"
>;

/** Topic `run:ID`. */
export interface RunDetail extends RunCard {
  readonly facts: RunFacts;
  /** How it ended where nothing went wrong. */
  readonly end: Omit<RunEnd, "at"> | null;
  readonly notes: readonly string[];
  /** Steps whose checkpoints are on the disk. */
  readonly checkpoints: readonly number[];
  readonly error: { readonly name: string; readonly message: string; readonly hint?: string } | null;
  /** With every default and every `auto` settled, as YAML. */
  readonly recipe: string;
  /** Names of what its model said before and after: {@link GenerationSet}. */
  readonly generations: readonly string[];
  /** Numbers of probes.json by their dotted names; empty where the run has none. */
  readonly probes: Readonly<Record<string, number>>;
}

/** A prompt, and what is said to it. Null for what is not known. */
export interface GenerationRow {
  readonly prompt: string;
  /** The data's own. */
  readonly reference: string | null;
  /** By the model that training began with. */
  readonly before: string | null;
  readonly after: string;
}

/** `GET runs/ID/generations?set=NAME`. */
export interface GenerationSet {
  readonly name: string;
  readonly rows: readonly GenerationRow[];
  /** Whether there are more rows. */
  readonly cut: boolean;
}

/** `GET differences?run=ID&run=ID`: keys of recipes that are not the same in all runs. */
export interface RunDifferences {
  readonly keys: readonly string[];
  /** Values as JSON by id, in the order of the keys; null where a recipe leaves the key out. */
  readonly runs: Readonly<Record<string, readonly (string | null)[]>>;
}

/** Columns of a table of steps: what a step or an evaluation measured. */
export type SeriesColumn =
  | "step"
  | "seconds"
  | "loss"
  | "lossLow"
  | "lossHigh"
  | "penalty"
  | "promptLoss"
  | "promptAccuracy"
  | "completionLoss"
  | "completionAccuracy"
  | "endLoss"
  | "gradientNorm"
  | "learningRate"
  | "tokensPerSecond"
  | "memory";

/**
 * A change of a table: rows from `from` on are these, and the table ends with them. Each row stands for `width` lines of
 * the run's metrics: means, but for `lossLow` and `lossHigh` (the least and the highest loss), `step` (the last) and
 * `seconds` (since the first line, those of steps alone).
 */
export interface TableChange {
  readonly width: number;
  readonly from: number;
  readonly columns: Readonly<Partial<Record<SeriesColumn, readonly (number | null)[]>>>;
}

/** Topic `series:ID`: what is new since the last message. */
export interface SeriesChange {
  readonly steps: TableChange | null;
  readonly evaluations: TableChange | null;
}

/** An event of the live stream: a topic, and its value now. `gone` where there is nothing of that id. */
export interface LiveMessage {
  readonly topic: string;
  readonly value?: unknown;
  readonly gone?: true;
}
