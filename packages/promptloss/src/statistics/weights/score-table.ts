// Scores of a study as a balanced table: every cell (one training) has a score on every task. What a cell has in common
// but its weight (seed, model, learning rate) is its block, so that weights are compared within blocks alone. Scores are
// scaled task by task, by their deviation within blocks: tasks then count alike whatever their units.
import { StatisticsError } from "../errors.ts";

/** One score. */
export interface WeightRow {
  /** The training that it comes from. */
  readonly cell: string;
  readonly plw: number;
  readonly wp: number;
  /** What is compared within: a label of the cell's other factors. */
  readonly block: string;
  readonly task: string;
  /** More is better, in any unit. */
  readonly score: number;
  /** What is known of the score's own standard error, in its unit: taken for a known part of the noise. */
  readonly samplingError?: number | undefined;
}

export interface ScoreCell {
  readonly id: string;
  readonly plw: number;
  readonly wp: number;
  readonly block: number;
}

export interface TaskScale {
  readonly task: string;
  readonly mean: number;
  /** What a score's difference from the mean was divided by: the deviation within blocks. */
  readonly deviation: number;
}

export interface ScoreTable {
  readonly cells: readonly ScoreCell[];
  readonly blocks: number;
  readonly scales: readonly TaskScale[];
  /** [tasks][cells], (score − mean) / deviation. */
  readonly scores: readonly Float64Array[];
  /**
   * The known part of a cell's variance, mean over tasks of (sampling error / deviation)², [cells]: T times that of the
   * cell's mean score. Undefined where no score has a known sampling error.
   */
  readonly known: Float64Array | undefined;
  /** What was left out, in words. */
  readonly notes: readonly string[];
}

/** @throws {StatisticsError} when no two cells have scores on one task, or a cell has two weights */
export function scoreTable(rows: readonly WeightRow[]): ScoreTable {
  const notes: string[] = [];
  const given = collected(rows);
  const { tasks, whole } = comparable(given, notes);
  const blocks = new Map<string, number>();
  for (const { block } of whole) if (!blocks.has(block)) blocks.set(block, blocks.size);
  const cells = whole.map(({ cell, plw, wp, block }) => ({ id: cell, plw, wp, block: blocks.get(block)! }));
  const scaled = tasks.flatMap(([task, scores]) => {
    const one = scaledTask(
      Float64Array.from(whole, ({ cell }) => scores.get(cell)!),
      cells,
      blocks.size,
    );
    if (one !== undefined) return [{ task, ...one }];
    notes.push(`${task} has the same value in all cells of a block and is left out of the comparison`);
    return [];
  });
  if (scaled.length === 0) throw new StatisticsError("no task has two different scores");
  const scales = scaled.map(({ task, mean, deviation }) => ({ task, mean, deviation }));
  return {
    cells,
    blocks: blocks.size,
    scales,
    scores: scaled.map(({ scores }) => scores),
    known: knownVariances(given, whole, scales),
    notes,
  };
}

interface GivenScores {
  readonly cells: ReadonlyMap<string, WeightRow>;
  /** By task, then by cell. */
  readonly byTask: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Sampling errors by `errorKey`. */
  readonly errors: ReadonlyMap<string, number>;
}

function errorKey(task: string, cell: string): string {
  return JSON.stringify([task, cell]);
}

/** @throws {StatisticsError} */
function collected(rows: readonly WeightRow[]): GivenScores {
  const cells = new Map<string, WeightRow>();
  const byTask = new Map<string, Map<string, number>>();
  const errors = new Map<string, number>();
  for (const row of rows) {
    const known = cells.get(row.cell);
    if (known !== undefined && (known.plw !== row.plw || known.block !== row.block))
      throw new StatisticsError(`cell ${row.cell} has two weights or two blocks`);
    cells.set(row.cell, row);
    const scores = byTask.get(row.task) ?? new Map<string, number>();
    scores.set(row.cell, row.score);
    byTask.set(row.task, scores);
    if (row.samplingError !== undefined) errors.set(errorKey(row.task, row.cell), row.samplingError);
  }
  return { cells, byTask, errors };
}

/** A task that most cells lack goes, then each cell that lacks a task. @throws {StatisticsError} where too little is left */
function comparable({ cells, byTask }: GivenScores, notes: string[]) {
  const tasks = [...byTask].filter(([task, scores]) => {
    if (2 * scores.size >= cells.size) return true;
    notes.push(
      `${task} has scores in ${scores.size} of ${cells.size} cells and is left out of the comparison`,
    );
    return false;
  });
  const whole = [...cells.values()].filter(({ cell }) => tasks.every(([, scores]) => scores.has(cell)));
  if (whole.length < cells.size)
    notes.push(
      `${cells.size - whole.length} of ${cells.size} cells lack a score on some task and are left out of the comparison`,
    );
  if (tasks.length === 0 || whole.length < 2)
    throw new StatisticsError("no two cells have scores to compare");
  whole.sort((a, b) => a.wp - b.wp || (a.block < b.block ? -1 : 1));
  return { tasks, whole };
}

/** In units of the deviation inside blocks; undefined where the scores do not differ. */
function scaledTask(values: Float64Array, cells: readonly ScoreCell[], blocks: number) {
  const mean = values.reduce((sum, y) => sum + y, 0) / values.length;
  const square = withinBlocks(values, cells).reduce((sum, y) => sum + y * y, 0);
  const deviation = Math.sqrt(square / Math.max(1, values.length - blocks));
  if (!(deviation > 1e-12 * Math.abs(mean))) return undefined;
  return { mean, deviation, scores: values.map((y) => (y - mean) / deviation) };
}

function knownVariances(
  { errors }: GivenScores,
  whole: readonly WeightRow[],
  scales: ScoreTable["scales"],
): Float64Array | undefined {
  if (errors.size === 0) return undefined;
  return Float64Array.from(whole, ({ cell }) =>
    scales.reduce((sum, { task, deviation }) => {
      const error = errors.get(errorKey(task, cell)) ?? 0;
      return sum + (error / deviation) ** 2 / scales.length;
    }, 0),
  );
}

/** Number of cells by block. */
export function blockSizes(cells: readonly ScoreCell[]): ReadonlyMap<number, number> {
  const sizes = new Map<number, number>();
  for (const { block } of cells) sizes.set(block, (sizes.get(block) ?? 0) + 1);
  return sizes;
}

/** Differences from the block's mean. */
export function withinBlocks(values: Float64Array, cells: readonly ScoreCell[]): Float64Array {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const [i, { block }] of cells.entries()) {
    const known = sums.get(block) ?? { sum: 0, count: 0 };
    sums.set(block, { sum: known.sum + values[i]!, count: known.count + 1 });
  }
  return values.map((y, i) => {
    const { sum, count } = sums.get(cells[i]!.block)!;
    return y - sum / count;
  });
}
