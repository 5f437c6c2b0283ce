// Runs the compiled program as a user does.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { compiled } from "../../../test/compiled.ts";

export const program = compiled("packages/promptloss", "cli/main.js");

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param input standard input; empty where left out */
export function promptloss(args: readonly string[], input = ""): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: "utf8",
    input,
  });
  return { status, stdout, stderr };
}

/** Starts the program, for tests that talk with it while it runs. */
export function startPromptloss(args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [program, ...args]);
}
