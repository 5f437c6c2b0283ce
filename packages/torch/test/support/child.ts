// Runs a TypeScript program of the tests in a Node process of its own: whatever ends that process, or grows in it,
// does so apart from the test runner.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface ChildOptions {
  args?: readonly string[];
  /** Added to this process's environment; undefined takes a variable out. */
  env?: Record<string, string | undefined>;
  /** Node's own flags, `--expose-gc` for one. */
  nodeFlags?: readonly string[];
  /** Milliseconds. */
  timeout?: number;
}

export interface ChildResult {
  /** Null where a signal ended the process. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const runner = fileURLToPath(new URL("./typescript.mjs", import.meta.url));

/** Runs `program`, a path relative to `test/`, to its end. */
export function runChild(program: string, options: ChildOptions = {}): ChildResult {
  const { args = [], env = {}, nodeFlags = [], timeout = 110_000 } = options;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--no-warnings",
      ...nodeFlags,
      runner,
      fileURLToPath(new URL(`../${program}`, import.meta.url)),
      ...args,
    ],
    { encoding: "utf8", env: { ...process.env, ...env }, timeout, maxBuffer: 1 << 26 },
  );
  return { status, signal, stdout, stderr };
}

/** The JSON that a program printed as its last line, once it ended well. */
export function runChildJson<T>(program: string, options: ChildOptions = {}): T {
  const { status, signal, stdout, stderr } = runChild(program, options);
  if (status !== 0) throw new Error(`${program} ended with ${signal ?? status}:\n${stdout}\n${stderr}`);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) as string) as T;
}
