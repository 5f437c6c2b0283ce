// The process that evaluates a cell's model on one task.
// Usage: node evaluation-process.js '{"model": "run/model", "task": "mctest", "data": "data/eval", "output": "run/evaluation"}'
import { setNumThreads } from "@promptloss/torch";
import { EvaluationError, evaluate } from "../../evaluation/index.ts";
import type { TaskScore } from "../evaluate/evaluator.ts";
import type { EvaluationArguments } from "../evaluate/model-task.ts";
import { answerTask } from "../evaluate/task-process.ts";

await answerTask(async ({ task, threads, ...options }: EvaluationArguments, signal) => {
  if (threads !== undefined) setNumThreads(threads);
  const attempt = (overwrite: boolean) => evaluate({ ...options, tasks: [task], overwrite, signal });
  let result = await attempt(false);
  // Records of a model that was trained again meanwhile: the folder is the cell's own, so they may go.
  if (result.failures[0]?.error instanceof EvaluationError) result = await attempt(true);
  const [failure] = result.failures;
  if (failure !== undefined) throw failure.error;
  return result.scores.map(
    ({ metric, value, standardError, n, chance, higherIsBetter, primary }): TaskScore => ({
      ...{ metric, value, items: n, higherIsBetter, primary },
      ...(chance !== undefined && { chance }),
      ...(standardError !== undefined && { standardError }),
    }),
  );
});
