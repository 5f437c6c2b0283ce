// `promptloss study status`: how far a study is; on a terminal it is watched until all cells are done.
import { setTimeout } from "node:timers/promises";
// Modules rather than the door of all of `study`, whose models of scores take long to load: nothing here fits any.
import { type QueuedCell, slurmStatus } from "../../../study/launch/slurm.ts";
import { type CellReport, type StudyStatus, studyStatus } from "../../../study/run/status.ts";
import { harmlessJson, ink } from "../../../terminal/index.ts";
import { LiveLines } from "../../../terminal/live-lines.ts";
import { count, duration, loss } from "../../train/format.ts";
import { studyOf } from "../read-study-file.ts";
import { cellName, type StudyFlags } from "../study-file.ts";

interface Flags extends StudyFlags {
  once?: true;
  json?: true;
}

const REPAINT_MS = 1000;

const SLURM_ROUNDS = 15;

const BAR = 30;

/** A bar, the counts, then the cells that run and those that failed. */
function statusLines(status: StudyStatus, queued: ReadonlyMap<string, QueuedCell>): string[] {
  const { name, cells, counts, secondsLeft } = status;
  const part = (n: number): number => Math.round((BAR * n) / cells.length);
  const bar = [
    ink.green("━".repeat(part(counts.done))),
    ink.red("━".repeat(part(counts.failed))),
    ink.cyan("━".repeat(part(counts.running))),
  ].join("");
  const left = secondsLeft === undefined ? "" : `, about ${duration(secondsLeft)} left`;
  const rest = BAR - part(counts.done) - part(counts.failed) - part(counts.running);
  return [
    `${name}  ${bar}${ink.dim("─".repeat(Math.max(0, rest)))}  ${counts.done}/${cells.length} done, ` +
      `${counts.running} running, ${counts.waiting} waiting, ${counts.failed} failed${left}`,
    ...cells.filter((cell) => cell.status === "running").map(runningLine),
    ...cells.filter((cell) => cell.status === "failed").flatMap(failedLines),
    ...cells.flatMap((report) => queueLine(report, queued.get(report.cell.id))),
  ];
}

function runningLine({ cell, phase, step, steps, loss: value, speed }: CellReport): string {
  const place =
    phase === "evaluating"
      ? "evaluating"
      : steps === undefined
        ? "begins"
        : `step ${count(step ?? 0)}/${count(steps)}  loss ${loss(value)}`;
  const rate = speed === undefined ? "" : `  ${count(Math.round(speed))} tokens/s`;
  return `${ink.cyan("▸")} ${cell.id}  ${cellName(cell.levels)}  ${place}${rate}`;
}

function failedLines({ cell, failure, attempts }: CellReport): string[] {
  return [
    `${ink.red("✗")} ${cell.id}  ${cellName(cell.levels)}  ${attempts === 1 ? "once" : `${attempts} times`}, in ${failure?.during ?? "training"}: ${failure?.message ?? "no reason was written"}`,
    ...(failure?.hint === undefined ? [] : [`  ${ink.dim(`hint: ${failure.hint}`)}`]),
  ];
}

/** Waiting cells that a job has, and those that a job lost. */
function queueLine({ cell, status }: CellReport, task: QueuedCell | undefined): string[] {
  if (task === undefined || status !== "waiting") return [];
  const mark = task.active ? ink.dim("·") : ink.yellow("!");
  return [`${mark} ${cell.id}  ${cellName(cell.levels)}  Slurm ${task.id}: ${task.state}, ${task.reason}`];
}

export async function runStatus(file: string, { once, json, ...flags }: Flags): Promise<void> {
  const study = studyOf(file, flags);
  if (json) {
    const { cells, ...rest } = studyStatus(study);
    const queued = slurmStatus(study);
    const flat = cells.map(({ cell, ...report }) => {
      const slurm = queued.get(cell.id);
      return { id: cell.id, levels: cell.levels, ...report, ...(slurm && { slurm }) };
    });
    process.stdout.write(`${harmlessJson({ ...rest, cells: flat }, 2)}\n`);
    return;
  }
  if (once || !process.stdout.isTTY) {
    process.stdout.write(`${statusLines(studyStatus(study), slurmStatus(study)).join("\n")}\n`);
    return;
  }
  const lines = new LiveLines(process.stdout);
  let queued = slurmStatus(study);
  for (let round = 1; ; round++) {
    // A scheduler is asked more seldom than files are read.
    if (round % SLURM_ROUNDS === 0) queued = slurmStatus(study);
    const status = studyStatus(study);
    lines.show(statusLines(status, queued));
    if (status.counts.waiting + status.counts.running === 0) return;
    await setTimeout(REPAINT_MS);
  }
}
