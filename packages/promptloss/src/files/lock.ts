// One process at a time has a folder, among processes of one machine or of several that share it. The lock is a folder
// `.lock` with one file, named at random, that says who holds it. It is taken by renaming a draft with that file to
// `.lock`, which the system does only where there is no `.lock` or an empty one, and a dead holder's lock is emptied by
// removing his file by its name: so whoever removes or takes can never hit a living holder's.
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { isRunning, type ProcessIdentity, thisProcess } from "@promptloss/torch/files";
import { PromptlossError } from "../errors.ts";
import { draftOf, makeFolder, refusing, removeDrafts } from "./atomic.ts";

const NAME = ".lock";

/** Seconds between two signs of life, for processes on other machines. */
const BEAT_SECONDS = 15;
/** Without a sign for so long, a holder on another machine counts as dead. Its clock may differ by minutes. */
const SILENT_SECONDS = 600;
/** A draft of a lock is renamed at once; an older one was left by a process that died. */
const DRAFT_SECONDS = 60;

/** Who holds a folder. */
export interface LockHolder extends ProcessIdentity {
  /** Slurm's id of the job that the process runs in, as "12_3" for a task of an array. */
  readonly job?: string;
  /** How often Slurm had restarted that job. */
  readonly restarts?: number;
}

/** A lock that another process has taken over, or that is gone with its folder. */
export class LostLockError extends PromptlossError {
  readonly folder: string;

  constructor(folder: string) {
    super(`${folder}: this process no longer holds the folder: another one took it over, or it was removed`, {
      hint: "was this process or its machine suspended? Wait for the other one, or name another output",
    });
    this.folder = folder;
  }
}

export class FolderLock {
  readonly folder: string;
  readonly #file: string;
  readonly #beat: Worker;

  private constructor(folder: string, file: string) {
    this.folder = folder;
    this.#file = file;
    this.#beat = startBeat(file);
  }

  /**
   * Takes a folder's lock; undefined where a living process has it. Makes the folder.
   * @throws {OutputError} where the folder can't be written to
   */
  static take(folder: string): FolderLock | undefined {
    makeFolder(folder);
    const lock = join(folder, NAME);
    const name = randomBytes(8).toString("hex");
    const draft = draftOf(lock);
    return refusing(folder, () => {
      try {
        writeDraft(draft, name);
        while (!putInPlace(draft, lock, name)) if (!isFree(lock, draft)) return undefined;
      } finally {
        rmSync(draft, { recursive: true, force: true });
      }
      removeDraftsOfLocks(folder);
      return new FolderLock(folder, join(lock, name));
    });
  }

  /** Who holds a folder; undefined where nobody does who lives. */
  static holder(folder: string): LockHolder | undefined {
    const found = entryOf(join(folder, NAME));
    return found !== undefined && isHeld(found, Date.now()) ? (found.holder ?? UNKNOWN) : undefined;
  }

  /** Whether some living process holds a folder. */
  static isHeld(folder: string): boolean {
    return FolderLock.holder(folder) !== undefined;
  }

  /** Frees the lock of a job that its scheduler says is gone, before its silence would. */
  static free(folder: string, isGone: (job: string) => boolean): void {
    const found = entryOf(join(folder, NAME));
    const job = found?.holder?.job;
    if (found !== undefined && job !== undefined && isGone(job)) remove(join(folder, NAME), found.file);
  }

  /** @throws {LostLockError} where this process no longer holds the folder, as after a night suspended */
  check(): void {
    if (statSync(this.#file, { throwIfNoEntry: false }) === undefined) throw new LostLockError(this.folder);
  }

  /** Gives the lock back; another holder's is not touched. */
  release(): void {
    void this.#beat.terminate();
    remove(join(this.folder, NAME), this.#file);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** As a person reads it: "process 12 on node3 (Slurm job 4_1)". */
export function holderText({ pid, host, job }: LockHolder): string {
  const place = host === thisProcess().host ? "" : ` on ${host}`;
  return `${pid > 0 ? `process ${pid}` : "another process"}${place}${job === undefined ? "" : ` (Slurm job ${job})`}`;
}

/** A holder whose file can't be read: a power cut took its content. */
const UNKNOWN: LockHolder = { host: thisProcess().host, pid: 0 };

interface Entry {
  readonly file: string;
  readonly holder: LockHolder | undefined;
  /** When it gave its last sign of life, in milliseconds since 1970. */
  readonly seen: number;
}

/** The holder's entry; undefined where there is no lock, or an empty one. */
function entryOf(lock: string): Entry | undefined {
  try {
    const [name] = readdirSync(lock);
    if (name === undefined) return undefined;
    const file = join(lock, name);
    return { file, holder: parse(readFileSync(file, "utf8")), seen: statSync(file).mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(text: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(text) as LockHolder | null;
    return typeof holder?.pid === "number" && typeof holder.host === "string" ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isHeld({ holder, seen }: Entry, now: number): boolean {
  const silent = (now - seen) / 1000 >= SILENT_SECONDS;
  if (holder === undefined) return !silent;
  const job = slurmJob();
  // Slurm restarts a job only when its last run has ended.
  if (holder.job !== undefined && holder.job === job.job && (holder.restarts ?? 0) < (job.restarts ?? 0))
    return false;
  return isRunning(holder) ?? !silent;
}

function writeDraft(draft: string, name: string): void {
  mkdirSync(draft);
  writeFileSync(join(draft, name), `${JSON.stringify({ ...thisProcess(), ...slurmJob() })}\n`);
}

/** False where the lock has a holder. */
function putInPlace(draft: string, lock: string, name: string): boolean {
  try {
    renameSync(draft, lock);
    return true;
  } catch (error) {
    // A network file system may report a failure after it has renamed.
    if (statSync(join(lock, name), { throwIfNoEntry: false }) !== undefined) return true;
    const { code } = error as NodeJS.ErrnoException;
    // Another process took the draft for an old one: this one was suspended.
    if (code === "ENOENT") writeDraft(draft, name);
    // Windows renames to no folder that is there, be it empty.
    else if (code === "EPERM" && process.platform === "win32") removeEmpty(lock);
    else if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    return false;
  }
}

/** Whether the lock may be tried again: it has no holder, or had a dead one, who is removed now. */
function isFree(lock: string, draft: string): boolean {
  const found = entryOf(lock);
  if (found === undefined) return true;
  // Where a file server sets times, the draft's is by the same clock as the holder's.
  const now = statSync(draft, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (isHeld(found, now)) return false;
  rmSync(found.file, { force: true });
  return true;
}

function remove(lock: string, file: string): void {
  rmSync(file, { force: true });
  removeEmpty(lock);
}

function removeEmpty(lock: string): void {
  try {
    rmdirSync(lock);
  } catch {
    // Another process has taken it, or removed it.
  }
}

function removeDraftsOfLocks(folder: string): void {
  removeDrafts(folder, DRAFT_SECONDS, isLockDraft);
}

/** Whether a draft is that of a lock: of a process that asks for a folder, which may live and not hold it. */
export function isLockDraft(name: string): boolean {
  return name.startsWith(`.${NAME}.`);
}

function slurmJob(): Pick<LockHolder, "job" | "restarts"> {
  const {
    SLURM_ARRAY_JOB_ID: array,
    SLURM_ARRAY_TASK_ID: task,
    SLURM_JOB_ID: id,
    SLURM_RESTART_COUNT: restarts,
  } = process.env;
  const job = array === undefined || task === undefined ? id : `${array}_${task}`;
  return job === undefined ? {} : { job, restarts: Number(restarts ?? 0) };
}

/**
 * Rewrites the holder's file in place now and then, in a thread of its own: training keeps this one busy for minutes.
 * The content stays the same; the file's time is what counts, by the file server's clock.
 */
function startBeat(file: string): Worker {
  const worker = new Worker(BEAT, {
    eval: true,
    workerData: { file, seconds: BEAT_SECONDS },
    // Not this process's: among them may be one that changes how the text is read.
    execArgv: [],
  });
  // Without signs of life the lock still serves on this machine.
  worker.on("error", () => {});
  worker.unref();
  return worker;
}

const BEAT = `
const { closeSync, openSync, readFileSync, writeSync } = require("node:fs");
const { file, seconds } = require("node:worker_threads").workerData;
setInterval(() => {
  try {
    const content = readFileSync(file);
    const open = openSync(file, "r+");
    writeSync(open, content, 0, content.length, 0);
    closeSync(open);
  } catch {
    // The lock is gone, or the file server is away: there is nothing to hold, or the next beat will tell.
  }
}, seconds * 1000);
`;
