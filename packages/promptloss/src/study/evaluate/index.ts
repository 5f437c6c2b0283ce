// The tasks that a study can name.
import type { Evaluators } from "./evaluator.ts";
import { heldOut } from "./held-out.ts";
import { judgedTasks } from "./judged-task.ts";
import { modelTasks } from "./model-task.ts";

export type { EvaluationRequest, Evaluator, Evaluators, TaskScore } from "./evaluator.ts";
export { taskOfFile } from "./model-task.ts";

/** `held-out`, every task that comes with the package, and those with a judge. */
export const evaluators: Evaluators = { "held-out": heldOut, ...modelTasks(), ...judgedTasks() };
