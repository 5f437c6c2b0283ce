// AlpacaEval and PandaLM as tasks of a study: a cell's model answers the instructions of a reference file, and a judge
// compares. Answers, what the judge said and verdicts stay in the cell's folder.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { faultOf } from "../../config-file/index.ts";
import type { Evaluator, Evaluators } from "./evaluator.ts";
import { JUDGED_TASKS, type JudgedOptions, type JudgedTask, judgedOptionsSchema } from "./judged-options.ts";
import { JUDGED_METRICS } from "./judged-scores.ts";
import { inProcess } from "./task-process.ts";

export interface JudgedArguments extends JudgedOptions {
  readonly task: JudgedTask;
  readonly model: string;
  /** The cell's folder for this task. */
  readonly output: string;
  readonly threads?: number | undefined;
}

const program = fileURLToPath(new URL("../processes/judged-process.js", import.meta.url));

/** By name. */
export function judgedTasks(): Evaluators {
  return Object.fromEntries(JUDGED_TASKS.map((task) => [task, judgedTask(task)]));
}

function judgedTask(task: JudgedTask): Evaluator {
  return {
    group: "long-generation",
    readsModel: true,
    metrics: JUDGED_METRICS,
    paths: ["data", "reference", "judge.folder", "judge.adapter"],
    refuse: (options) => {
      for (const [key, what] of [
        ["reference", "the file of answers that a cell's are compared with"],
        ["judge", "who compares: { endpoint: http://… } or { folder: … }"],
      ] as const)
        if (options[key] === undefined) return `${task} needs the option ${key}, ${what}`;
      return faultOf(options, judgedOptionsSchema, task);
    },
    evaluate: async ({ options, run, model, threads, signal }) => {
      const settings: JudgedArguments = {
        ...judgedOptionsSchema.parse(options),
        ...{ task, model, threads, output: join(dirname(run), "evaluation", task) },
      };
      const hint = "retry the cell: it resumes where it stopped";
      return inProcess(program, settings, { task, hint, signal });
    },
  };
}
