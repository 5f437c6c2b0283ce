// How far a study is: the state of every cell, and of those that run the step and the loss. Reads files alone, so that
// anyone can ask who sees the folder.
import { join } from "node:path";
import { lastMetrics } from "../../training/events/metrics-file.ts";
import type { Cell } from "../plan/cell.ts";
import type { Study } from "../plan/read-study.ts";
import type { ListedCell } from "./cell-list.ts";
import {
  type CellFailure,
  CellPlace,
  type CellState,
  type CellStatus,
  type CellsOwner,
} from "./cell-place.ts";

/** `C`: what is known of a cell beside its folder. */
export interface CellReport<C extends ListedCell = Cell> {
  readonly cell: C;
  readonly status: CellStatus;
  /** Of a running cell. */
  readonly phase?: "training" | "evaluating";
  readonly step?: number;
  readonly steps?: number;
  readonly loss?: number;
  /** Tokens a second of its training. */
  readonly speed?: number;
  /** Of a done cell: its training, and all of it. */
  readonly seconds?: { readonly training: number; readonly whole: number };
  readonly attempts: number;
  readonly failure?: CellFailure;
}

export interface StudyStatus<C extends ListedCell = Cell> {
  readonly name: string;
  readonly cells: readonly CellReport<C>[];
  readonly counts: Readonly<Record<CellStatus, number>>;
  /** Until all cells are done, with as many at a time as run now; undefined before a cell is done. */
  readonly secondsLeft: number | undefined;
}

/** @param study the study, or what is known of it from its output folder */
export function studyStatus<C extends ListedCell>(
  study: CellsOwner & Pick<Study, "name"> & { readonly cells: readonly C[] },
): StudyStatus<C> {
  const cells = study.cells.map((cell) => reportOf(cell, new CellPlace(study, cell.id)));
  const counts: Record<CellStatus, number> = { waiting: 0, running: 0, done: 0, failed: 0 };
  for (const { status } of cells) counts[status]++;
  return { name: study.name, cells, counts, secondsLeft: secondsLeft(cells) };
}

function reportOf<C extends ListedCell>(cell: C, folder: CellPlace): CellReport<C> {
  const { status, state, manifest } = folder;
  const report = { cell, status, attempts: state?.attempts ?? 0 };
  if (status === "failed") return { ...report, ...(state?.failure && { failure: state.failure }) };
  const end = manifest?.end?.reason === "failed" ? undefined : manifest?.end;
  if (status !== "running")
    return {
      ...report,
      ...(end && { speed: end.tokens / end.seconds }),
      ...(end && state?.endedAt !== undefined && { seconds: secondsOf(end.seconds, state) }),
    };
  const line = lastMetrics(join(folder.run, "metrics.jsonl")).at(-1);
  return {
    ...report,
    phase: state?.state === "evaluating" ? "evaluating" : "training",
    ...(manifest && { steps: manifest.steps }),
    ...(line && { step: line.step, loss: line.loss }),
    ...(line?.type === "step" && { speed: line.tokens / line.seconds }),
  };
}

/** A cell that was begun again has trained for longer than its last attempt took. */
function secondsOf(training: number, { startedAt, endedAt }: CellState) {
  return {
    training,
    whole: Math.max(training, (Date.parse(endedAt!) - Date.parse(startedAt)) / 1000),
  };
}

/** What is left of running cells: their training by its steps, and all of their evaluation. */
export function secondsLeft(
  cells: readonly Pick<CellReport, "status" | "seconds" | "phase" | "step" | "steps">[],
): number | undefined {
  const done = cells.flatMap(({ status, seconds }) => (status === "done" && seconds ? [seconds] : []));
  const running = cells.filter(({ status }) => status === "running");
  if (done.length === 0 || running.length === 0) return undefined;
  const mean = (part: "training" | "whole"): number =>
    done.reduce((sum, seconds) => sum + seconds[part], 0) / done.length;
  const waiting = cells.filter(({ status }) => status === "waiting").length;
  const spent = running.reduce(
    (sum, { phase, step = 0, steps = Number.POSITIVE_INFINITY }) =>
      sum + mean("training") * (phase === "evaluating" ? 1 : step / steps),
    0,
  );
  return (mean("whole") * (waiting + running.length) - spent) / running.length;
}
