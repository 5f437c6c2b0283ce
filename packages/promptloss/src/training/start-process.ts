// Starts the training process and hands on its events. What ends it without a word, the kernel or a crash, becomes an
// error that says so.
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { TrainingError } from "./errors.ts";
import type { EventListener, RunEndReason, TrainingEvent } from "./events/event.ts";
import type { ProcessArguments } from "./process.ts";

const program = fileURLToPath(new URL("process.js", import.meta.url));

const { signals } = constants;

/** Lines of the process's standard error that are kept to explain a crash. */
const KEPT_LINES = 20;

export interface TrainingProcess {
  readonly child: ChildProcess;
  /** Resolves with the exit code. Rejects with a TrainingError where the process was killed or crashed. */
  readonly done: Promise<number>;
}

/** @param launcher a command that starts the one behind it, once or several times; none where left out */
export function startTrainingProcess(
  settings: ProcessArguments,
  onEvent: EventListener,
  launcher: readonly string[] = [],
): TrainingProcess {
  const [file, ...args] = [...launcher, process.execPath, program, JSON.stringify(settings)];
  const child = spawn(file!, args, { stdio: ["ignore", "pipe", "pipe"] });
  const errors: string[] = [];
  let failed = false;
  let ended: RunEndReason | undefined;
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line) => {
    const event = parse(line);
    if (event === undefined) errors.push(line);
    else {
      failed ||= event.type === "error";
      if (event.type === "end") ended = event.reason;
      onEvent(event);
    }
  });
  createInterface({ input: child.stderr! }).on("line", (line) => {
    errors.push(line);
    errors.splice(0, errors.length - KEPT_LINES);
  });
  const read = new Promise((resolve) => lines.once("close", resolve));
  const done = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      void read.then(() => {
        // A second Ctrl-C may hit a process that has said all and is on its way out.
        if (signal !== null && ended !== undefined)
          resolve(ended === "interrupted" ? 128 + signals[signal] : 0);
        else if (signal !== null) reject(killed(signal, errors));
        else if (code !== 0 && code !== null && code < 128 && !failed) reject(crashed(code, errors));
        else resolve(code ?? 1);
      });
    });
  });
  return { child, done };
}

function parse(line: string): TrainingEvent | undefined {
  try {
    return JSON.parse(line) as TrainingEvent;
  } catch {
    return undefined;
  }
}

const AGAIN = "run the same command again; it resumes from the last checkpoint";

function killed(signal: NodeJS.Signals, errors: readonly string[]): TrainingError {
  return signal === "SIGKILL"
    ? new TrainingError("the training process was killed, most likely because memory ran out", {
        hint: `lower training.microBatchTokens or set training.gradientCheckpointing, then ${AGAIN}`,
      })
    : new TrainingError(`the training process was ended by ${signal}${tail(errors)}`, { hint: AGAIN });
}

function crashed(code: number, errors: readonly string[]): TrainingError {
  return new TrainingError(`the training process ended with code ${code}${tail(errors)}`, { hint: AGAIN });
}

function tail(errors: readonly string[]): string {
  return errors.length === 0 ? "" : `:\n${errors.join("\n")}`;
}
