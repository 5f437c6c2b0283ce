// Turns one file's rows into examples: settles the format on the first rows, maps columns, counts or refuses bad rows.
import type { Example } from "../example.ts";
import { DataError, RowProblem } from "./data-error.ts";
import type { DataSource } from "./data-source.ts";
import { checkMappedColumns, columnMap, fieldsOf } from "./formats/column-map.ts";
import { formatOfColumns } from "./formats/detect.ts";
import { RowFields } from "./formats/fields.ts";
import { formatNamed } from "./formats/formats.ts";
import { GROUP_FIELD, type RowFormat } from "./formats/row-format.ts";
import type { RawRow } from "./raw-row.ts";
import type { FileReport, ReportBuilder, SourceReport } from "./report.ts";

export interface FileReaderOptions {
  onBadRow: "error" | "skip";
  emptyCompletions: "skip" | "refuse" | "keep";
  report: ReportBuilder;
  source: SourceReport;
  /** False on the second and later passes over the same rows, which were counted on the first. */
  count: boolean;
}

/** Rows whose keys are looked at before the format is settled. */
const LOOK_ROWS = 32;

export class FileReader {
  readonly #file: FileReport;
  readonly #name: string;
  readonly #config: DataSource;
  readonly #options: FileReaderOptions;
  #format: RowFormat | undefined;
  #columnOf: ReadonlyMap<string, string | null> = new Map();
  /** Columns that are read, and those already reported as not. */
  readonly #known = new Set<string>();
  #waiting: RawRow[] = [];

  constructor(file: FileReport, config: DataSource, options: FileReaderOptions) {
    this.#file = file;
    this.#name = file.file;
    this.#config = config;
    this.#options = options;
  }

  /** Settles the format on these columns, and gives those that are read. @throws {DataError} */
  settle(columns: ReadonlySet<string>): ReadonlySet<string> {
    const { columns: mapping = {}, format: named } = this.#config;
    const { source } = this.#options;
    checkMappedColumns(mapping, columns, this.#name);
    const format = named === undefined ? formatOfColumns(columns, mapping, this.#name) : formatNamed(named);
    if (source.format !== undefined && source.format !== format.name) {
      throw new DataError("ambiguous-format", `the rows are ${format.name}, those before ${source.format}`, {
        file: this.#name,
        hint: "Give each file a data source of its own.",
      });
    }
    this.#columnOf = columnMap(mapping, fieldsOf(format));
    this.#format = format;
    source.format = format.name;
    const read = new Set([...this.#columnOf.values()].filter((column) => column !== null));
    for (const column of read) this.#known.add(column);
    // A column that is mapped to nothing is left out on purpose.
    for (const [field, column] of Object.entries(mapping)) if (column === null) this.#known.add(field);
    for (const column of columns) this.#noteColumn(column);
    return read;
  }

  /** The examples of these rows; rows are held back until enough are there to settle the format. */
  *read(rows: readonly RawRow[]): Generator<Example, void> {
    if (this.#format === undefined) {
      this.#waiting.push(...rows);
      if (this.#waiting.length < LOOK_ROWS) return;
      yield* this.end();
      return;
    }
    for (const row of rows) {
      const example = this.#parse(row, this.#format);
      if (example !== undefined) yield example;
    }
  }

  /** The examples of the rows held back. */
  *end(): Generator<Example, void> {
    const rows = this.#waiting;
    this.#waiting = [];
    if (rows.length === 0) return;
    const good = rows.filter((row) => row.problem === undefined);
    // Without a good row there is nothing to settle on; a bad first row is the error, whatever comes after it.
    if (good.length === 0 || rows[0]!.problem !== undefined) {
      const bad = good.length === 0 ? rows : rows.slice(0, 1);
      for (const row of bad) {
        this.#count();
        this.#refuse(row.problem!, row.row);
      }
      this.#waiting = rows.slice(bad.length);
      yield* this.end();
      return;
    }
    this.settle(new Set(good.flatMap((row) => Object.keys(row.value))));
    yield* this.read(rows);
  }

  #parse(row: RawRow, format: RowFormat): Example | undefined {
    this.#count();
    if (row.problem !== undefined) return this.#refuse(row.problem, row.row);
    for (const key in row.value) if (!this.#known.has(key)) this.#noteColumn(key);
    try {
      const fields = new RowFields(row.value, this.#columnOf, this.#options.emptyCompletions === "keep");
      const draft = format.parse(fields, this.#told);
      const group = fields.group(GROUP_FIELD);
      const place = { file: this.#name, row: row.row };
      const source = Object.freeze(group === undefined ? place : { ...place, group });
      return Object.freeze({ ...draft, source });
    } catch (error) {
      if (error instanceof RowProblem) return this.#refuse(error, row.row);
      throw error;
    }
  }

  readonly #told = {
    ignored: (field: string): void => this.#noteColumn(field),
    counted: (what: string): void => {
      if (this.#options.count) this.#options.report.count(what);
    },
  };

  #count(): void {
    this.#file.rows++;
    if (this.#options.count) this.#options.source.rows++;
  }

  #refuse(problem: RowProblem, row: number): undefined {
    const { onBadRow, emptyCompletions, count, report, source } = this.#options;
    const error = DataError.ofRow(problem, this.#name, row);
    const isFault = problem.reason !== "empty-completion" || emptyCompletions === "refuse";
    if (isFault && onBadRow === "error") throw error;
    if (count) report.skip(source, error);
    return undefined;
  }

  #noteColumn(column: string): void {
    if (this.#known.has(column)) return;
    this.#known.add(column);
    const { count, report, source } = this.#options;
    if (count) report.ignore(source, column);
  }
}
