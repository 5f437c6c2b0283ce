// What reading came to: rows, examples, and the rows left out by cause.
import type { Container } from "./containers/container.ts";
import type { DataError } from "./data-error.ts";
import type { FormatName } from "./formats/row-format.ts";

export interface FileReport {
  readonly file: string;
  readonly container: Container["kind"];
  readonly gzip: boolean;
  rows: number;
  /** Blank lines of JSON lines and text, which are not rows. */
  blankLines: number;
}

export interface SourceReport {
  readonly path: string;
  /** Undefined until the first rows are read. */
  format: FormatName | undefined;
  readonly files: FileReport[];
  /** Rows read, bad ones included; a row that `weight` repeats counts once. */
  rows: number;
  /** Examples given out, repetitions included. */
  examples: number;
  skipped: number;
  /** Columns that nothing reads, and, as `messages[].name`, such keys of messages. */
  readonly ignoredColumns: string[];
}

export interface RowReport {
  readonly rows: number;
  readonly examples: number;
  readonly skipped: number;
  /** Bad rows by cause, a DataErrorReason. */
  readonly skippedBy: Readonly<Record<string, number>>;
  /** The first few bad rows of each cause. */
  readonly samples: readonly DataError[];
  /** Of all sources, without repetitions. */
  readonly ignoredColumns: readonly string[];
  /** What was done that the user may want to know, such as reading a cached copy because the hub was out of reach. */
  readonly notes: readonly string[];
  /** Those of the notes that count what was not taken as it stands. */
  readonly counted: readonly string[];
  readonly sources: readonly SourceReport[];
}

/** Bad rows of one cause that are kept for the user to see. */
const SAMPLES_PER_REASON = 5;

/** The report while it is written. */
export class ReportBuilder implements RowReport {
  readonly sources: SourceReport[] = [];
  readonly skippedBy: Record<string, number> = {};
  readonly samples: DataError[] = [];
  readonly notes: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #ignored = new Map<SourceReport, Set<string>>();
  readonly #onSkip: ((error: DataError) => void) | undefined;

  constructor(onSkip?: (error: DataError) => void) {
    this.#onSkip = onSkip;
  }

  get rows(): number {
    return this.sources.reduce((sum, { rows }) => sum + rows, 0);
  }

  get examples(): number {
    return this.sources.reduce((sum, { examples }) => sum + examples, 0);
  }

  get skipped(): number {
    return this.sources.reduce((sum, { skipped }) => sum + skipped, 0);
  }

  get ignoredColumns(): string[] {
    return [...new Set(this.sources.flatMap(({ ignoredColumns }) => ignoredColumns))];
  }

  addSource(path: string): SourceReport {
    const source: SourceReport = {
      path,
      format: undefined,
      files: [],
      rows: 0,
      examples: 0,
      skipped: 0,
      ignoredColumns: [],
    };
    this.sources.push(source);
    return source;
  }

  /** Notes a column that nothing reads, once. */
  ignore(source: SourceReport, column: string): void {
    const known = this.#ignored.get(source) ?? new Set();
    this.#ignored.set(source, known);
    if (known.has(column)) return;
    known.add(column);
    source.ignoredColumns.push(column);
  }

  /** Counts what was not taken as it stands. */
  count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  /** A line for each thing that was counted, as "messages whose …: 3". */
  get counted(): string[] {
    return Array.from(this.#counts, ([what, count]) => `${what}: ${count.toLocaleString("en-US")}`);
  }

  skip(source: SourceReport, error: DataError): void {
    source.skipped++;
    const count = (this.skippedBy[error.reason] ?? 0) + 1;
    this.skippedBy[error.reason] = count;
    if (count <= SAMPLES_PER_REASON) this.samples.push(error);
    this.#onSkip?.(error);
  }

  /** A copy that further reading doesn't change. */
  snapshot(): RowReport {
    return {
      rows: this.rows,
      examples: this.examples,
      skipped: this.skipped,
      skippedBy: { ...this.skippedBy },
      samples: [...this.samples],
      ignoredColumns: this.ignoredColumns,
      notes: [...this.notes, ...this.counted],
      counted: this.counted,
      sources: structuredClone(this.sources),
    };
  }
}
