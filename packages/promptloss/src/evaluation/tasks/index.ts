// Tasks as declarative files, and their rows.
export { builtinTasks, loadTask } from "./load-task.ts";
export { readSplit, readTaskRows, type Split, shotSplit, type TaskData, type TaskRows } from "./read-rows.ts";
export { type Row, RowProblem } from "./render.ts";
export {
  type EvaluationTask,
  EXAMPLE_ORDERS,
  type ExampleOrder,
  type GenerationTask,
  type LikelihoodTask,
  type MultipleChoiceTask,
  taskSchema,
} from "./schema.ts";
