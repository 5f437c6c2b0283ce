// A study's cells as a table: one factor across, the combinations of all others down.
import type { StudyCell } from "promptloss/studio";

type Label = string | number;

export interface Matrix {
  /** The factor whose labels are the columns; undefined of a study without factors. */
  readonly across: string | undefined;
  readonly columns: readonly Label[];
  /** The factors whose labels name the rows. */
  readonly down: readonly string[];
  readonly rows: readonly MatrixRow[];
}

export interface MatrixRow {
  readonly labels: readonly Label[];
  /** By column; those that the study leaves out are empty. */
  readonly cells: readonly (readonly StudyCell[])[];
}

/** The prompt loss weight is across where it is a factor: it is what a study is about. */
export function acrossOf(factors: readonly string[]): string | undefined {
  return factors.find((factor) => /^(plw|.*promptLossWeight)$/.test(factor)) ?? factors.at(-1);
}

export function matrixOf(
  cells: readonly StudyCell[],
  factors: readonly string[],
  across = acrossOf(factors),
): Matrix {
  const down = factors.filter((factor) => factor !== across);
  const columns = across === undefined ? [] : labelsOf(cells, across);
  const rows = new Map<string, StudyCell[]>();
  for (const cell of cells) {
    const key = JSON.stringify(down.map((factor) => cell.levels[factor]));
    rows.set(key, [...(rows.get(key) ?? []), cell]);
  }
  const sorted = [...rows.values()].sort((a, b) => compared(a[0]!, b[0]!, cells, down));
  return {
    ...{ across, columns, down },
    rows: sorted.map((own) => ({
      labels: down.map((factor) => own[0]!.levels[factor] ?? ""),
      cells:
        across === undefined
          ? [own]
          : columns.map((label) => own.filter((cell) => cell.levels[across] === label)),
    })),
  };
}

/** Numbers from the lowest; names in the order in which they come. */
function labelsOf(cells: readonly StudyCell[], factor: string): Label[] {
  const labels = [...new Set(cells.flatMap(({ levels }) => levels[factor] ?? []))];
  return labels.every((label) => typeof label === "number")
    ? labels.sort((a, b) => Number(a) - Number(b))
    : labels;
}

function compared(
  a: StudyCell,
  b: StudyCell,
  cells: readonly StudyCell[],
  factors: readonly string[],
): number {
  for (const factor of factors) {
    const labels = labelsOf(cells, factor);
    const order = labels.indexOf(a.levels[factor]!) - labels.indexOf(b.levels[factor]!);
    if (order !== 0) return order;
  }
  return 0;
}

/** Where values stand between the worst and the best, from 0 to 1. */
export function sharesOf(
  cells: readonly StudyCell[],
  measure: string,
  higherIsBetter: boolean,
): (cell: StudyCell) => number | undefined {
  const values = cells.flatMap(({ scores }) => scores[measure] ?? []);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return ({ scores }) => {
    const value = scores[measure];
    if (value === null || value === undefined) return undefined;
    const share = high === low ? 0.5 : (value - low) / (high - low);
    return higherIsBetter ? share : 1 - share;
  };
}
