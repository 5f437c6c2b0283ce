// The Slurm launcher: the cells of a study that are not done as one array job, a task a cell. Every task runs the local
// launcher for its cell, so locks, checkpoints and results are the same; submitting again takes what is left.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder, readJson, writeJson } from "../../files/atomic.ts";
import { FolderLock } from "../../files/lock.ts";
import { StudyError } from "../errors.ts";
import type { Cell } from "../plan/cell.ts";
import type { Study } from "../plan/read-study.ts";
import { CellFolder } from "../run/cell-folder.ts";
import { writeCellList } from "../run/cell-list.ts";
import { NoSlurmError, type SlurmTask, sacct, sbatch, squeue } from "./slurm-commands.ts";
import { jobScript } from "./slurm-script.ts";

export interface SubmitOptions {
  /** Cells that failed too. */
  readonly retry?: boolean;
  /** Ids of the cells to submit; all where left out. */
  readonly only?: readonly string[];
  /** Tasks at a time, in place of the study file's. */
  readonly concurrency?: number;
  /** More arguments of `study run` for every task: what the study was read with. */
  readonly args?: readonly string[];
}

export interface SubmittedJob {
  readonly job: string;
  /** Ids, in the order of the array's tasks. */
  readonly cells: readonly string[];
  readonly script: string;
}

/** Where a cell is with Slurm. */
export interface QueuedCell extends SlurmTask {
  /** Whether it waits or runs. */
  readonly active: boolean;
}

const program = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

/**
 * Submits the cells that are not done and that no job has already.
 * @returns undefined where there is none
 * @throws {StudyError} where Slurm refuses the job or is not there
 */
export function submitStudy(study: Study, options: SubmitOptions = {}): SubmittedJob | undefined {
  const { retry = false, only, args = [] } = options;
  const unknown = only?.find((id) => study.cells.every((cell) => cell.id !== id));
  if (unknown !== undefined) throw new StudyError(`${study.file}: there is no cell ${unknown}`);
  const active = activeTasks(study);
  const queued = new Set(active.values());
  const cells = study.cells.filter((cell) => {
    if (queued.has(cell.id) || (only !== undefined && !only.includes(cell.id))) return false;
    const folder = new CellFolder(study, cell);
    freeLost(folder, active);
    const { status } = folder;
    return status === "waiting" || (retry && status === "failed");
  });
  if (cells.length === 0) return undefined;
  const folder = newJobFolder(study);
  writeCellList(study);
  writeFileSync(join(folder, "cells.txt"), cells.map(({ id }) => `${id}\n`).join(""));
  const script = join(folder, "job.sh");
  const settings = study.settings.slurm;
  const concurrency = options.concurrency ?? settings?.concurrency;
  const text = jobScript({
    name: study.name,
    folder,
    tasks: cells.length,
    processes: Math.max(...cells.map(({ recipe }) => recipe.training.processes ?? 1)),
    directory: process.cwd(),
    settings: { options: [], setup: [], ...settings, ...(concurrency !== undefined && { concurrency }) },
    command: [
      ...[process.execPath, program, "study", "run", resolve(study.file)],
      ...["--output", resolve(study.output), "--events", ...(retry ? ["--retry"] : []), ...args],
    ],
  });
  writeFileSync(script, text, { mode: 0o755 });
  const job = { job: sbatch(script), cells: cells.map(({ id }) => id), script };
  writeJson(join(folder, "job.json"), job);
  return job;
}

/**
 * What Slurm says of a study's cells, by id: the newest task of each. Empty for a study that was never submitted, and on
 * a machine without Slurm's commands.
 * @throws {StudyError} where Slurm does not answer
 */
export function slurmStatus(study: Study): Map<string, QueuedCell> {
  const jobs = jobsOf(study);
  const found = new Map<string, QueuedCell>();
  if (jobs.length === 0) return found;
  const ids = jobs.map(({ job }) => job);
  const cellOf = cellsByTask(jobs);
  try {
    for (const task of sacct(ids) ?? []) add(found, cellOf, { ...task, active: false });
    for (const task of squeue(ids)) add(found, cellOf, { ...task, active: true });
  } catch (error) {
    if (!(error instanceof NoSlurmError)) throw error;
  }
  return found;
}

function add(found: Map<string, QueuedCell>, cellOf: ReadonlyMap<string, string>, task: QueuedCell): void {
  const cell = cellOf.get(task.id);
  if (cell === undefined) return;
  const before = found.get(cell);
  if (before === undefined || jobNumber(task.id) >= jobNumber(before.id)) found.set(cell, task);
}

function jobNumber(task: string): number {
  return Number(task.split("_")[0]);
}

function cellsByTask(jobs: readonly SubmittedJob[]): Map<string, string> {
  return new Map(jobs.flatMap(({ job, cells }) => cells.map((cell, i) => [`${job}_${i}`, cell] as const)));
}

/** Cells by the tasks that wait or run. */
function activeTasks(study: Study): Map<string, string> {
  const jobs = jobsOf(study);
  const cellOf = cellsByTask(jobs);
  return new Map(
    squeue(jobs.map(({ job }) => job)).flatMap(({ id }) => {
      const cell = cellOf.get(id);
      return cell === undefined ? [] : [[id, cell] as const];
    }),
  );
}

/** A task that was killed on another machine leaves a lock, which would count until its silence is long enough. */
function freeLost({ path, cell }: { path: string; cell: Cell }, active: ReadonlyMap<string, string>): void {
  const known = new Set([...active].filter(([, id]) => id === cell.id).map(([task]) => task));
  FolderLock.free(path, (job) => job.includes("_") && !known.has(job));
}

function jobsFolder(study: Study): string {
  return join(study.output, "slurm");
}

function jobsOf(study: Study): SubmittedJob[] {
  let names: string[];
  try {
    names = readdirSync(jobsFolder(study));
  } catch {
    return [];
  }
  return names.flatMap((name) => readJson<SubmittedJob>(join(jobsFolder(study), name, "job.json")) ?? []);
}

/** slurm/1, slurm/2, …: the first that nobody has. */
function newJobFolder(study: Study): string {
  const parent = resolve(jobsFolder(study));
  makeFolder(parent);
  for (let number = 1; ; number++) {
    const folder = join(parent, String(number));
    try {
      mkdirSync(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
