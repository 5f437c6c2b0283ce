// Tasks as declarative files, and their rows.
export { builtinTasks } from "./builtin-tasks.ts";
export { EXAMPLE_ORDERS } from "./example-orders.ts";
export { loadTask } from "./load-task.ts";
export { readSplit, readTaskRows, type Split, shotSplit, type TaskData, type TaskRows } from "./read-rows.ts";
export { type Row, RowProblem } from "./render.ts";
export {
  type EvaluationTask,
  type ExampleOrder,
  type GenerationTask,
  type LikelihoodTask,
  type MultipleChoiceTask,
  taskSchema,
} from "./schema.ts";
