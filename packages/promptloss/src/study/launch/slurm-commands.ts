// Slurm's own commands: sbatch, squeue, sacct. Their output is asked for in fixed columns, never parsed from tables made
// for people.
import { spawnSync } from "node:child_process";
import { StudyError } from "../errors.ts";

/** Of a task of an array job. */
export interface SlurmTask {
  /** As "12_3". */
  readonly id: string;
  /** As Slurm calls it: PENDING, RUNNING, COMPLETED, FAILED, TIMEOUT, OUT_OF_MEMORY, NODE_FAIL, CANCELLED, … */
  readonly state: string;
  /** Why it waits, or how it ended. */
  readonly reason: string;
}

/** There is no Slurm on this machine. */
export class NoSlurmError extends StudyError {}

/** @throws {StudyError} for a command that is missing or that fails */
function slurm(command: string, args: readonly string[]): string {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined)
    throw new NoSlurmError(`${command} can't be run: ${error.message}`, {
      hint: "the Slurm launcher needs Slurm's commands; --launcher local runs the cells here",
    });
  if (status !== 0) throw new StudyError(`${command} failed: ${(stderr || stdout).trim()}`);
  return stdout;
}

/**
 * Submits a script.
 * @returns the job's id
 */
export function sbatch(script: string): string {
  // "id" or "id;cluster"
  const [id] = slurm("sbatch", ["--parsable", script]).trim().split(";");
  return id!;
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/** Tasks of jobs that wait or run; jobs that the queue has forgotten have none. */
export function squeue(jobs: readonly string[]): SlurmTask[] {
  if (jobs.length === 0) return [];
  // Asked for an id that it has forgotten, squeue fails: so all of this user's jobs are asked for.
  const mine = new Set(jobs);
  return lines(slurm("squeue", ["--me", "--array", "--noheader", "--format=%i|%T|%r"])).flatMap((line) => {
    const [id, state, reason] = line.split("|");
    return mine.has(id!.split("_")[0]!) ? [{ id: id!, state: state!, reason: reason! }] : [];
  });
}

/** States of a task that has not ended. */
const UNENDED = new Set(["PENDING", "RUNNING", "SUSPENDED", "REQUEUED", "RESIZING"]);

/**
 * How tasks of jobs ended; undefined where the cluster keeps no accounts. Accounts are written some seconds after the
 * queue has let go of a task, which keeps its last state until then.
 */
export function sacct(jobs: readonly string[]): SlurmTask[] | undefined {
  if (jobs.length === 0) return [];
  const columns = "--format=JobID,State,ExitCode";
  let text: string;
  try {
    text = slurm("sacct", [
      "--noheader",
      "--parsable2",
      "--allocations",
      columns,
      `--jobs=${jobs.join(",")}`,
    ]);
  } catch (error) {
    if (/disabled|not running a supported|accounting/i.test((error as Error).message)) return undefined;
    throw error;
  }
  return lines(text).flatMap((line) => {
    const [id, state, code] = line.split("|");
    // "12_[3-5]" stands for tasks that have not begun; "CANCELLED by 0" names who did it.
    if (id!.includes("[")) return [];
    const [word] = state!.split(" ");
    const reason = UNENDED.has(word!) ? "not in the accounts yet" : `exit code ${code!.split(":")[0]}`;
    return [{ id: id!, state: word!, reason }];
  });
}
