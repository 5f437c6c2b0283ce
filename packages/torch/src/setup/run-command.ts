// Runs a program to its end and keeps what it printed. No shell is involved.
import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string;
  /** Kills the program when aborted; the result then has `code` null. */
  readonly signal?: AbortSignal;
  /** Called with every piece of output, of both streams, as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface CommandResult {
  /** The exit status; null when the program was killed or could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True when there is no such program. */
  readonly missing: boolean;
}

/** Runs `command`; never rejects: a program that is missing or fails is a result like any other. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: "SIGKILL" }),
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      options.onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      options.onOutput?.(text);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT" || error.code === "EACCES";
      resolve({ code: null, stdout, stderr: stderr || error.message, missing });
    });
    child.on("close", (code) => resolve({ code, stdout, stderr, missing: false }));
  });
}
