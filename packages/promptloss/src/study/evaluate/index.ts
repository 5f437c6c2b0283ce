// The tasks that a study can name.
import type { Evaluators } from "./evaluator.ts";
import { heldOut } from "./held-out.ts";
import { modelTasks } from "./model-task.ts";

export type { EvaluationRequest, Evaluator, Evaluators, TaskScore } from "./evaluator.ts";
export { taskOfFile } from "./model-task.ts";

/** `held-out`, and every task that comes with the package. */
export const evaluators: Evaluators = { "held-out": heldOut, ...modelTasks() };
