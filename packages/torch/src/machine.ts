// What set-up asks of the machine it runs on, as one value, so that tests can describe another machine.
// It holds no results: finding a compiler, a Python or a libtorch is the business of their own files.
import { availableParallelism, freemem, homedir } from "node:os";
import { join } from "node:path";

export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Node's name of the processor family: `x64`, `arm64`, … */
  readonly arch: string;
  readonly home: string;
  readonly isRoot: boolean;
  /** Processes that may compile at the same time. */
  readonly jobs: number;
  /** Prefixes where package managers put libraries, in the order in which they are searched. */
  readonly systemRoots: readonly string[];
}

/** Compiling a file that includes libtorch's headers takes about this much memory, in bytes. */
const MEMORY_PER_JOB = 1.5e9;

const SYSTEM_ROOTS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["/usr/local", "/usr", "/opt/libtorch", "/home/linuxbrew/.linuxbrew/opt/pytorch"],
  darwin: ["/opt/homebrew/opt/pytorch", "/opt/homebrew/opt/libtorch", "/usr/local/opt/pytorch", "/usr/local"],
};

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return {
    env: process.env,
    platform: process.platform,
    arch: process.arch,
    home: homedir(),
    isRoot: process.getuid?.() === 0,
    jobs: Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / MEMORY_PER_JOB))),
    systemRoots: SYSTEM_ROOTS[process.platform] ?? [],
  };
}

/** An environment variable's value; undefined when it is unset or empty. */
export function variable(machine: Machine, name: string): string | undefined {
  const value = machine.env[name]?.trim();
  return value === "" ? undefined : value;
}

/** Whether a variable is switched on; unset, empty, `0`, `false`, `no` and `off` mean that it is not. */
export function isOn(machine: Machine, name: string): boolean {
  const value = variable(machine, name)?.toLowerCase();
  return value !== undefined && !["0", "false", "no", "off"].includes(value);
}

/** The folder for what can be fetched again: `PROMPTLOSS_CACHE`, or promptloss's folder in the user's cache. */
export function cacheFolder(machine: Machine): string {
  const own = variable(machine, "PROMPTLOSS_CACHE");
  if (own !== undefined) return own;
  const base =
    variable(machine, "XDG_CACHE_HOME") ??
    (machine.platform === "darwin" ? join(machine.home, "Library", "Caches") : join(machine.home, ".cache"));
  return join(base, "promptloss");
}
