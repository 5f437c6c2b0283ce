// One launcher at a time has a cell, among processes of one machine or of several that share the folder. A holder is a
// numbered file that is created or not, so that a lock left by a dead process can be taken over by one process alone:
// who wants it makes the next number, and who finds a higher number than his own has lost.
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { readJson } from "./json-file.ts";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells the process from a later one of the same id; undefined where the system does not say. */
  readonly started?: string;
  /** Slurm's id of the job that the process runs in, as "12_3" for a task of an array. */
  readonly job?: string;
}

/** Seconds between two signs of life, for launchers on other machines. */
const BEAT_SECONDS = 20;
/** Without a sign for so long, a launcher on another machine counts as dead. Its clock may differ by minutes. */
const SILENT_SECONDS = 600;

export class CellLock {
  readonly #path: string;
  readonly #beat: NodeJS.Timeout;

  private constructor(path: string) {
    this.#path = path;
    this.#beat = setInterval(() => {
      const now = new Date();
      try {
        utimesSync(path, now, now);
      } catch {
        // The folder is gone: there is nothing left to hold.
      }
    }, BEAT_SECONDS * 1000);
    this.#beat.unref();
  }

  /** Takes the lock of a folder; undefined where another process has it. */
  static take(folder: string): CellLock | undefined {
    for (;;) {
      const before = newest(folder);
      if (before !== undefined && isHeld(folder, before)) return undefined;
      const mine = (before ?? 0) + 1;
      if (!create(folder, mine)) continue;
      if (newest(folder) !== mine) {
        rmSync(fileOf(folder, mine), { force: true });
        continue;
      }
      for (const number of numbers(folder))
        if (number < mine) rmSync(fileOf(folder, number), { force: true });
      return new CellLock(fileOf(folder, mine));
    }
  }

  /** Whether some living process has the lock of a folder. */
  static isHeld(folder: string): boolean {
    const number = newest(folder);
    return number !== undefined && isHeld(folder, number);
  }

  /** Frees the lock of a job that its scheduler says is gone, before its silence would. */
  static free(folder: string, isGone: (job: string) => boolean): void {
    const number = newest(folder);
    const job = number === undefined ? undefined : readJson<Holder>(fileOf(folder, number))?.job;
    if (job !== undefined && isGone(job)) rmSync(fileOf(folder, number!), { force: true });
  }

  release(): void {
    clearInterval(this.#beat);
    rmSync(this.#path, { force: true });
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

const fileOf = (folder: string, number: number): string => join(folder, `lock.${number}`);

const numbers = (folder: string): number[] =>
  readdirSync(folder).flatMap((name) => {
    const match = /^lock\.(\d+)$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });

const newest = (folder: string): number | undefined => {
  const all = numbers(folder);
  return all.length === 0 ? undefined : Math.max(...all);
};

/** False where the file is there already. */
const create = (folder: string, number: number): boolean => {
  try {
    const file = openSync(fileOf(folder, number), "wx");
    writeSync(file, JSON.stringify(thisProcess()));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
};

const isHeld = (folder: string, number: number): boolean => {
  const path = fileOf(folder, number);
  let age: number;
  try {
    age = (Date.now() - statSync(path).mtimeMs) / 1000;
  } catch {
    return false;
  }
  const holder = readJson<Holder>(path);
  // Created, not yet written: its process is at it.
  if (holder === undefined) return age < BEAT_SECONDS;
  // Slurm runs a task once at a time: what holds the lock under this process's job is an earlier run of it.
  if (holder.job !== undefined && holder.job === slurmJob() && holder.pid !== process.pid) return false;
  if (holder.host !== hostname()) return age < SILENT_SECONDS;
  return isAlive(holder.pid) && (holder.started === undefined || holder.started === startOf(holder.pid));
};

const thisProcess = (): Holder => {
  const started = startOf(process.pid);
  const job = slurmJob();
  return {
    ...{ pid: process.pid, host: hostname() },
    ...(started !== undefined && { started }),
    ...(job !== undefined && { job }),
  };
};

const slurmJob = (): string | undefined => {
  const { SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: task, SLURM_JOB_ID: job } = process.env;
  return array === undefined || task === undefined ? job : `${array}_${task}`;
};

/** When a process began, in ticks since this machine did: the 22nd field of Linux's /proc/PID/stat. */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may hold blanks and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
};

/** Whether there is such a process on this machine. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
