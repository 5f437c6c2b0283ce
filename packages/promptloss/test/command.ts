// Runs the compiled program as a user does. It takes what the last build left in dist.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

export const built = existsSync(program);

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: "1" };
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param input standard input; empty where left out */
export function promptloss(args: readonly string[], input = ""): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: "utf8",
    env: environment(),
    input,
  });
  return { status, stdout, stderr };
}

/** Starts the program, for tests that talk with it while it runs. */
export function startPromptloss(args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [program, ...args], { env: environment() });
}
