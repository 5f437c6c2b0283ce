// What a measurement needs before it says anything: a quiet machine, and the same threads and allocator for every side.
import { availableParallelism, loadavg } from "node:os";

/**
 * "as it comes": glibc gives large pieces of memory back to the system after each use, and pays for every page again.
 * "tuned": it keeps them.
 */
export type Allocator = "as it comes" | "tuned";

const SETTINGS: Readonly<Record<Allocator, Readonly<Record<string, string>>>> = {
  "as it comes": {},
  tuned: {
    MALLOC_MMAP_THRESHOLD_: "4294967296",
    MALLOC_TRIM_THRESHOLD_: "17179869184",
    MALLOC_TOP_PAD_: "268435456",
  },
};

/** Threads of every side: OMP_NUM_THREADS, or all cores. */
export function threadsOfSides(): number {
  return Number(process.env.OMP_NUM_THREADS ?? availableParallelism());
}

/** What every side's process is started with, ours and its peers'. */
export function sidesEnvironment(
  allocator: Allocator = "tuned",
  threads = threadsOfSides(),
): NodeJS.ProcessEnv {
  return { ...process.env, ...SETTINGS[allocator], OMP_NUM_THREADS: String(threads) };
}

/** In a section's text; figures from before there was a choice say nothing, and had it as it comes. */
export function allocatorWords(allocator: Allocator = "as it comes"): string {
  return allocator === "tuned"
    ? "Every side's glibc keeps large pieces of memory rather than give them back to the system after each use."
    : "Every side has glibc's allocator as it comes.";
}

/** Load average of the last minute that leaves the cores to a measurement, per core. */
const QUIET = 0.35;

export interface Surroundings {
  /** Load average of the last minute. */
  readonly load: number;
  readonly cores: number;
}

/** @throws {Error} where other programs use the machine */
export function quietMachine({ load, cores }: Surroundings): void {
  if (load <= QUIET * cores) return;
  throw new Error(
    `the machine is busy: load average ${load.toFixed(1)} on ${cores} cores, and figures mean something ` +
      `up to ${(QUIET * cores).toFixed(1)}. Wait until it is quiet; --force measures and writes the table all the same`,
  );
}

/**
 * What a bench begins with: ends it where the machine is busy, unless the command has `--force`, which is taken off the
 * arguments, since each bench reads those its own way.
 * @returns the load average before anything is measured
 */
export function beginMeasuring(): number {
  const [load, place] = [loadavg()[0]!, process.argv.indexOf("--force")];
  if (place > 0) process.argv.splice(place, 1);
  else
    try {
      quietMachine({ load, cores: availableParallelism() });
    } catch (error) {
      console.error(`error: ${(error as Error).message}`);
      process.exit(1);
    }
  return load;
}

/** In a section's text: whether its speeds may be believed. */
export function loadWords([before, after]: readonly [before: number, after: number], cores: number): string {
  const busy =
    before > QUIET * cores ? ", so the machine was busy with other work and the speeds say little" : "";
  return `load average ${before.toFixed(1)} before, ${after.toFixed(1)} after${busy}`;
}
