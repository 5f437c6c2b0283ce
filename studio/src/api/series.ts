// A run's series as the page keeps them: tables to which the stream's changes are applied.
import type { SeriesChange, SeriesColumn, TableChange } from "promptloss/studio";

export interface Table {
  /** Lines of metrics that a row stands for. */
  readonly width: number;
  readonly length: number;
  readonly columns: Readonly<Partial<Record<SeriesColumn, readonly (number | null)[]>>>;
}

export interface Series {
  readonly steps: Table;
  readonly evaluations: Table;
}

export const EMPTY_TABLE: Table = { width: 1, length: 0, columns: {} };

export const EMPTY_SERIES: Series = { steps: EMPTY_TABLE, evaluations: EMPTY_TABLE };

export function changedSeries(series: Series, { steps, evaluations }: SeriesChange): Series {
  return {
    steps: changedTable(series.steps, steps),
    evaluations: changedTable(series.evaluations, evaluations),
  };
}

/** The rows before `from` stay, those of the change follow. A column that one side lacks is null there. */
export function changedTable(table: Table, change: TableChange | null): Table {
  if (change === null) return table;
  const { width, from, columns } = change;
  const added = columns.step?.length ?? 0;
  const names = new Set([
    ...(from > 0 ? Object.keys(table.columns) : []),
    ...Object.keys(columns),
  ]) as Set<SeriesColumn>;
  const joined = Array.from(names, (name) => {
    const before = table.columns[name]?.slice(0, from) ?? nulls(from);
    return [name, [...before, ...(columns[name] ?? nulls(added))]] as const;
  });
  return { width, length: from + added, columns: Object.fromEntries(joined) };
}

function nulls(length: number): null[] {
  return Array.from({ length }, () => null);
}
