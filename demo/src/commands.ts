// Runs promptloss' commands as a user would, and shows each before it runs.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import pc from "picocolors";

const program = fileURLToPath(new URL("../../packages/promptloss/dist/cli/main.js", import.meta.url));

/** What a command ended with, where that was not 0. */
export class CommandFailure extends Error {
  readonly status: number;

  constructor(args: readonly string[], status: number) {
    super(`promptloss ${args.join(" ")} ended with ${status}`);
    this.status = status;
  }
}

/** A heading, which says what comes and why. */
export function announce(title: string, why: string): void {
  console.log(`\n${pc.bold(title)}\n${pc.dim(why)}\n`);
}

/**
 * Runs a command in the working folder; its output goes to ours.
 * @throws {CommandFailure}
 */
export function run(...args: string[]): void {
  start(args, "inherit");
}

/**
 * Runs a command with --json and gives what it answers.
 * @throws {CommandFailure}
 */
export function ask<T>(...args: string[]): T {
  return JSON.parse(start(args, "pipe")) as T;
}

function start(args: readonly string[], output: "inherit" | "pipe"): string {
  const shown = args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`));
  console.log(pc.cyan(`$ npx promptloss ${shown.join(" ")}`));
  const { status, stdout } = spawnSync(process.execPath, [program, ...args], {
    stdio: ["inherit", output, "inherit"],
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new CommandFailure(shown, status ?? 1);
  return stdout ?? "";
}
