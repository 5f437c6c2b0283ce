// A task's rows as items, with few-shot examples drawn as lm-evaluation-harness draws them: one generator goes through
// the items in order.
import { isDeepStrictEqual } from "node:util";
import { ScoringError, TaskDataError } from "../errors.ts";
import {
  type EvaluationTask,
  type Row,
  RowProblem,
  readSplit,
  readTaskRows,
  shotSplit,
  type TaskData,
  type TaskRows,
} from "../tasks/index.ts";
import { render } from "../tasks/render.ts";
import { exampleOf, type Item, itemOf } from "./item.ts";
import { PythonRandom } from "./python-random.ts";

export interface BuildItemsOptions {
  readonly data: TaskData;
  /** The first so many rows; all where left out. */
  readonly limit?: number | undefined;
  /** Examples before each item; the task's where left out. */
  readonly shots?: number | undefined;
  /** Of the examples' draws; 1234, lm-evaluation-harness's, where left out. */
  readonly shotSeed?: number | undefined;
}

export interface TaskItems {
  readonly items: readonly Item[];
  readonly split: string;
  readonly file: string;
  readonly shots: number;
}

/**
 * @throws {TaskDataError} for missing files and rows that are no items, {DataError} for a hub out of reach
 * @throws {ScoringError} for more examples than there are
 */
export async function buildItems(task: EvaluationTask, options: BuildItemsOptions): Promise<TaskItems> {
  const { data, limit, shotSeed = 1234 } = options;
  const evaluated = await readTaskRows(task, data);
  const shots = task.fixedShots ? 0 : (options.shots ?? task.shots);
  if (task.fixedShots && (options.shots ?? 0) > 0)
    throw new ScoringError(task.task, "its examples are part of it, and it takes no others", {
      hint: "leave out the number of shots for this task",
    });
  const draw = shots === 0 ? () => [] : await drawing(task, evaluated, { data, shots, shotSeed });
  const rows = evaluated.rows.slice(0, limit);
  const items = rows.map((row, i) =>
    named(evaluated.file, i + 1, () => {
      const description = render(task.description, row);
      const examples = draw(row).map((example) => example + task.shotDelimiter);
      return itemOf(task, row, description + examples.join(""));
    }),
  );
  return { items, split: evaluated.split, file: evaluated.file, shots };
}

async function drawing(
  task: EvaluationTask,
  evaluated: TaskRows,
  { data, shots, shotSeed }: { data: TaskData; shots: number; shotSeed: number },
): Promise<(row: Row) => string[]> {
  const split = shotSplit(task);
  const pool = split === evaluated.split ? evaluated : await readSplit(task, split, data);
  // lm-evaluation-harness draws one more, to leave the item itself out, for tasks that declare no test split, and for
  // no others, wherever their examples come from.
  const same = task.data.test === undefined;
  if (pool.rows.length < shots + (same ? 1 : 0))
    throw new ScoringError(task.task, `${shots} examples of the ${pool.rows.length} rows of ${pool.file}`, {
      hint: "ask for fewer shots",
    });
  const examples = pool.rows.map((row, index) => ({ row, index }));
  const generator = new PythonRandom(shotSeed);
  return (row) => {
    let drawn = generator.sample(examples, same ? shots + 1 : shots);
    if (same) {
      drawn = drawn.filter((example) => !isDeepStrictEqual(example.row, row)).slice(0, shots);
      if (drawn.length < shots) {
        const others = examples.filter((example) => !isDeepStrictEqual(example.row, row));
        drawn = generator.sample(others, shots);
      }
    }
    return drawn.map(({ row: example, index }) =>
      named(pool.file, index + 1, () => exampleOf(task, example)),
    );
  };
}

function named<T>(file: string, row: number, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof RowProblem) throw new TaskDataError(file, cause.message, { row, cause });
    throw cause;
  }
}
