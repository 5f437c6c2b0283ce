// The tasks that come with the package, and those of task files, as tasks of a study: each evaluates a cell's model in a process of its own.
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { faultOf } from "../../config-file/index.ts";
import { WEIGHT_DTYPES } from "../../dtypes.ts";
import { buildItems } from "../../evaluation/requests/build-items.ts";
import { builtinTasks, type EvaluationTask, EXAMPLE_ORDERS, loadTask } from "../../evaluation/tasks/index.ts";
import { type Evaluator, type Evaluators, evaluationFolder } from "./evaluator.ts";
import { inProcess } from "./task-process.ts";

const optionsSchema = z.strictObject({
  /** The folder that tasks' files are under; the task's dataset on the Hugging Face hub where left out. */
  data: z.string().min(1).optional(),
  /** The first so many items. */
  limit: z.int().min(1).optional(),
  shots: z.int().min(0).optional(),
  shotSeed: z.int().min(0).optional(),
  examples: z.enum(EXAMPLE_ORDERS).optional(),
  maxLength: z.int().min(2).optional(),
  maxNewTokens: z.int().min(1).optional(),
  batchTokens: z.int().min(1).optional(),
  dtype: z.enum(WEIGHT_DTYPES).optional(),
  device: z.string().min(1).optional(),
});

export type ModelTaskOptions = z.output<typeof optionsSchema>;

export interface EvaluationArguments extends ModelTaskOptions {
  readonly model: string;
  readonly task: string;
  /** For records, which an evaluation that was cut short goes on from. */
  readonly output: string;
  readonly threads?: number | undefined;
}

const program = fileURLToPath(new URL("../processes/evaluation-process.js", import.meta.url));

/** The package's, by name. */
export function modelTasks(): Evaluators {
  return Object.fromEntries(builtinTasks().map((name) => [name, modelTask(name, loadTask(name))]));
}

/**
 * A task file's own name, and what evaluates it.
 * @throws {TaskFileError} with every problem of the file and its line
 */
export function taskOfFile(file: string): { task: string; evaluator: Evaluator } {
  const path = resolve(file);
  const task = loadTask(path);
  const version = createHash("sha256").update(JSON.stringify(task)).digest("hex").slice(0, 12);
  return { task: task.task, evaluator: { ...modelTask(path, task), version } };
}

/** @param source the name or file that it is loaded by */
function modelTask(source: string, task: EvaluationTask): Evaluator {
  const {
    task: name,
    kind,
    metrics,
    data: { hub },
  } = task;
  return {
    group: kind === "generation" ? "short-generation" : "multiple-choice",
    readsModel: true,
    metrics,
    paths: ["data"],
    refuse: (options) => {
      const fault = faultOf(options, optionsSchema, name);
      if (fault === undefined && hub === undefined && options.data === undefined)
        return `${name} needs the folder of its rows: give taskData in the study file`;
      return fault;
    },
    countItems: async (options) => {
      const { data: folder, limit } = optionsSchema.parse(options);
      if (folder === undefined) return limit;
      try {
        return (await buildItems(task, { data: { folder }, limit, shots: 0 })).items.length;
      } catch {
        // A plan is worth having without: the task's own run will say what is wrong with its rows.
        return limit;
      }
    },
    evaluate: async ({ options, run, model, threads, signal }) => {
      const settings: EvaluationArguments = {
        ...optionsSchema.parse(options),
        model,
        task: source,
        threads,
        output: evaluationFolder(run),
      };
      const hint = "retry the cell; a smaller batchTokens needs less memory";
      return inProcess(program, settings, { task: name, hint, signal });
    },
  };
}
