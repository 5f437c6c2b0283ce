// A task's rows as items, with few-shot examples: drawn as lm-evaluation-harness draws them, one generator going through
// the items in order, or the same rows for every item.
import { isDeepStrictEqual } from "node:util";
import { ScoringError, TaskDataError } from "../errors.ts";
import {
  type EvaluationTask,
  type ExampleOrder,
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
  /** Which rows are examples; as the task says where left out. */
  readonly examples?: ExampleOrder | undefined;
}

export interface TaskItems {
  readonly items: readonly Item[];
  readonly split: string;
  readonly file: string;
  readonly shots: number;
  /** Whether the shots are drawn, so that their seed counts. */
  readonly drawn: boolean;
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
  const chosen = options.examples ?? task.examples ?? "drawn";
  if (task.fixedShots && options.examples !== undefined)
    throw new ScoringError(task.task, "its examples are part of it, and it takes no others", {
      hint: "leave out where examples come from for this task",
    });
  const drawn = shots > 0 && chosen === "drawn";
  const draw =
    shots === 0
      ? () => []
      : chosen === "drawn"
        ? await drawing(task, evaluated, { data, shots, shotSeed })
        : await firstOf(task, evaluated, { data, shots, chosen });
  const rows = evaluated.rows.slice(0, limit);
  const items = rows.map((row, i) =>
    named(evaluated.file, i + 1, () => {
      const description = render(task.description, row);
      const examples = draw(row).map((example) => example + task.shotDelimiter);
      return itemOf(task, row, description + examples.join(""));
    }),
  );
  return { items, split: evaluated.split, file: evaluated.file, shots, drawn };
}

/** Rows that may be examples, and what they are called in errors. */
interface Pool {
  readonly file: string;
  readonly rows: readonly Row[];
}

async function poolOf(task: EvaluationTask, evaluated: TaskRows, data: TaskData): Promise<Pool> {
  const split = shotSplit(task);
  return split === evaluated.split ? evaluated : readSplit(task, split, data);
}

/** The first of the rows for every item, without the item itself, as lm-evaluation-harness's first_n. */
async function firstOf(
  task: EvaluationTask,
  evaluated: TaskRows,
  { data, shots, chosen }: { data: TaskData; shots: number; chosen: "first" | readonly Row[] },
): Promise<(row: Row) => string[]> {
  const pool: Pool =
    chosen === "first"
      ? await poolOf(task, evaluated, data)
      : { file: `examples of ${task.task}`, rows: chosen };
  const texts = new Map<number, string>();
  const exampleAt = (index: number): string => {
    const known = texts.get(index) ?? named(pool.file, index + 1, () => exampleOf(task, pool.rows[index]!));
    texts.set(index, known);
    return known;
  };
  return (row) => {
    const found: number[] = [];
    for (let i = 0; i < pool.rows.length && found.length < shots; i++)
      if (!isDeepStrictEqual(pool.rows[i], row)) found.push(i);
    if (found.length < shots) throw tooFew(task, shots, pool);
    return found.map(exampleAt);
  };
}

function tooFew(task: EvaluationTask, shots: number, { rows, file }: Pool): ScoringError {
  return new ScoringError(task.task, `${shots} examples of the ${rows.length} rows of ${file}`, {
    hint: "ask for fewer shots",
  });
}

async function drawing(
  task: EvaluationTask,
  evaluated: TaskRows,
  { data, shots, shotSeed }: { data: TaskData; shots: number; shotSeed: number },
): Promise<(row: Row) => string[]> {
  const pool = await poolOf(task, evaluated, data);
  // lm-evaluation-harness draws one more, to leave the item itself out, for tasks that declare no test split, and for
  // no others, wherever their examples come from.
  const same = task.data.test === undefined;
  if (pool.rows.length < shots + (same ? 1 : 0)) throw tooFew(task, shots, pool);
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
