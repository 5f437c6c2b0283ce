// The tasks that a study can name.
import type { Evaluators } from "./evaluator.ts";
import { heldOut } from "./held-out.ts";

export type { EvaluationRequest, Evaluator, Evaluators, TaskScore } from "./evaluator.ts";

export const evaluators: Evaluators = { "held-out": heldOut };
