// A task in a process of its own, so that a native crash or a kill for memory is one cell's failure alone.
// The last line that the process writes to standard output is its answer in JSON: scores, or what went wrong.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeSync } from "node:fs";
import { StudyError } from "../errors.ts";
import type { TaskScore } from "./evaluator.ts";

type TaskAnswer =
  | { readonly scores: readonly TaskScore[] }
  | { readonly error: { readonly name: string; readonly message: string; readonly hint?: string } };

/** As shells have it for what Ctrl-C ended. */
const INTERRUPTED = 130;

/** Of the process: reads its settings, computes, answers. SIGINT and SIGTERM abort the signal, and there is no answer. */
export async function answerTask<Settings>(
  compute: (settings: Settings, signal: AbortSignal) => Promise<readonly TaskScore[]>,
): Promise<void> {
  const answer = (value: TaskAnswer): void => {
    writeSync(1, `\n${JSON.stringify(value)}\n`);
  };
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => abort.abort());
  try {
    const scores = await compute(JSON.parse(process.argv[2] ?? "{}") as Settings, abort.signal);
    if (abort.signal.aborted) process.exitCode = INTERRUPTED;
    else answer({ scores });
  } catch (error) {
    if (abort.signal.aborted) {
      process.exitCode = INTERRUPTED;
      return;
    }
    const { name, message, hint } = error as Error & { hint?: string };
    answer({ error: { name, message, ...(hint !== undefined && { hint }) } });
  }
}

/** Lines of the process's standard error that are kept to explain a crash. */
const KEPT_LINES = 20;

/** What the process said went wrong. */
class TaskFailure extends StudyError {
  readonly original: string;

  constructor({ name, message, hint }: Extract<TaskAnswer, { error: unknown }>["error"]) {
    super(message, { hint });
    this.original = name;
  }
}

export interface TaskProcessOptions {
  /** For messages. */
  readonly task: string;
  /** What to do about a process that died. */
  readonly hint: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores; none where the signal cut it short.
 * @param program the file that calls `answerTask`
 */
export async function inProcess(
  program: string,
  settings: object,
  { task, hint, signal }: TaskProcessOptions,
): Promise<readonly TaskScore[]> {
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", errors: "" };
  child.stdout.on("data", (data: Buffer) => {
    said.out += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    said.errors = (said.errors + data.toString()).split("\n").slice(-KEPT_LINES).join("\n");
  });
  const stop = (): void => {
    child.kill("SIGTERM");
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const [code, killer] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    const answer = answerOf(said.out);
    if (answer !== undefined && "error" in answer) throw new TaskFailure(answer.error);
    if (answer !== undefined) return answer.scores;
    if (signal?.aborted) return [];
    const why =
      killer === "SIGKILL"
        ? "was killed, most likely because memory ran out"
        : `ended by ${killer ?? `code ${code}`}`;
    throw new StudyError(`the evaluation of ${task} ${why}${said.errors === "" ? "" : `:\n${said.errors}`}`, {
      hint,
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function answerOf(out: string): TaskAnswer | undefined {
  const line = out.trimEnd().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as TaskAnswer;
  } catch {
    return undefined;
  }
}
