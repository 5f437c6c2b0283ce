// The tasks that come with the package, and those of task files, as tasks of a study: each evaluates a cell's model in a process of its own.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { EvaluationScore } from "../../evaluation/run/types.ts";
import { builtinTasks, type EvaluationTask, loadTask } from "../../evaluation/tasks/index.ts";
import { StudyError } from "../errors.ts";
import type { EvaluationAnswer, EvaluationArguments } from "./evaluation-process.ts";
import type { Evaluator, Evaluators, TaskScore } from "./evaluator.ts";

const optionsSchema = z.strictObject({
  /** The folder that tasks' files are under; the task's dataset on the Hugging Face hub where left out. */
  data: z.string().min(1).optional(),
  /** The first so many items. */
  limit: z.int().min(1).optional(),
  shots: z.int().min(0).optional(),
  shotSeed: z.int().min(0).optional(),
  maxNewTokens: z.int().min(1).optional(),
  batchTokens: z.int().min(1).optional(),
  dtype: z.enum(["float32", "bfloat16"]).optional(),
  device: z.string().min(1).optional(),
});

export type ModelTaskOptions = z.output<typeof optionsSchema>;

const program = fileURLToPath(new URL("evaluation-process.js", import.meta.url));

/** The package's, by name. */
export const modelTasks = (): Evaluators =>
  Object.fromEntries(builtinTasks().map((name) => [name, modelTask(name, loadTask(name))]));

/**
 * A task file's own name, and what evaluates it.
 * @throws {TaskFileError} with every problem of the file and its line
 */
export const taskOfFile = (file: string): { task: string; evaluator: Evaluator } => {
  const path = resolve(file);
  const task = loadTask(path);
  const version = createHash("sha256").update(JSON.stringify(task)).digest("hex").slice(0, 12);
  return { task: task.task, evaluator: { ...modelTask(path, task), version } };
};

/** @param source the name or file that it is loaded by */
const modelTask = (source: string, { task: name, kind, data: { hub } }: EvaluationTask): Evaluator => {
  return {
    group: kind === "generation" ? "short-generation" : "multiple-choice",
    readsModel: true,
    refuse: (options) => {
      const { error } = optionsSchema.safeParse(options);
      if (error === undefined && hub === undefined && options.data === undefined)
        return `${name} needs the folder of its rows: give taskData in the study file`;
      if (error === undefined) return undefined;
      return error.issues
        .map(({ path, message }) => `${path.length === 0 ? name : path.join(".")}: ${message}`)
        .join("; ");
    },
    evaluate: async ({ options, run, model, signal }) => {
      const settings = {
        ...optionsSchema.parse(options),
        model,
        task: source,
        output: join(dirname(run), "evaluation"),
      };
      const scores = await inProcess(settings, signal);
      return scores.map(
        ({ metric, value, standardError, higherIsBetter, primary }): TaskScore => ({
          ...{ metric, value, higherIsBetter, primary },
          ...(standardError !== undefined && { standardError }),
        }),
      );
    },
  };
};

/** Lines of the process's standard error that are kept to explain a crash. */
const KEPT_LINES = 20;

/** What the process said went wrong. */
class TaskFailure extends StudyError {
  readonly original: string;

  constructor({ name, message, hint }: Extract<EvaluationAnswer, { error: unknown }>["error"]) {
    super(message, { hint });
    this.original = name;
  }
}

/** Scores; none where the signal cut it short. */
const inProcess = async (
  settings: EvaluationArguments,
  signal: AbortSignal | undefined,
): Promise<readonly EvaluationScore[]> => {
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
    throw new StudyError(
      `the evaluation of ${settings.task} ${why}${said.errors === "" ? "" : `:\n${said.errors}`}`,
      {
        hint: "retry the cell; a smaller batchTokens needs less memory",
      },
    );
  } finally {
    signal?.removeEventListener("abort", stop);
  }
};

const answerOf = (out: string): EvaluationAnswer | undefined => {
  const line = out.trimEnd().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as EvaluationAnswer;
  } catch {
    return undefined;
  }
};
