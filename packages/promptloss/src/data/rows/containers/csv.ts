// CSV and TSV: a header, then records; every cell is text. A record's number is its place under the header.
// A record with the wrong number of cells is a bad row. A quote encloses a cell where the cell starts with it, and is
// text elsewhere, as pandas reads it; behind a closing quote it is a bad row, for readers differ on what it means.
import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { DataError, RowProblem } from "../data-error.ts";
import { BATCH_ROWS, type RawRow, type ReadLimits, type RowBatches } from "../raw-row.ts";
import { checkedUtf8 } from "./checked-utf8.ts";

const DELIMITERS = [",", "\t", ";", "|"] as const;

/** The delimiter that the header uses most, outside quotes; a comma where it has one column. */
export function guessDelimiter(header: string): string {
  const bare = header.replace(/"(?:[^"]|"")*"/g, "");
  const counts = DELIMITERS.map((delimiter) => bare.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

/** The names in a CSV header. @throws {DataError} where it has none or one twice */
export function parseHeader(cells: readonly string[], file: string): string[] {
  const names = cells.map((cell) => cell.trim());
  const seen = new Set<string>();
  for (const name of names) {
    if (!seen.has(name)) {
      seen.add(name);
      continue;
    }
    const twice = name;
    throw new DataError("duplicate-key", "the header names this column twice", { file, field: twice });
  }
  return names;
}

export interface CsvOptions {
  readonly delimiter: string;
  /** Whether quotes enclose cells. */
  readonly quotes: boolean;
  readonly limits: ReadLimits;
}

interface RawRecord {
  readonly record: string[];
  readonly raw: string;
}

/**
 * Whether text stands behind a closing quote. The parser then takes the quotes for text, so that the cell starts with one;
 * so does a cell that was enclosed and starts with a doubled quote.
 */
function hasStrayText({ record, raw }: RawRecord): boolean {
  return record.some((cell) => cell.startsWith('"') && !raw.includes(`"${cell.replaceAll('"', '""')}"`));
}

export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  file: string,
  { delimiter, quotes, limits }: CsvOptions,
): RowBatches {
  const parser = parse({
    delimiter,
    quote: quotes ? '"' : null,
    relax_quotes: true,
    raw: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: limits.maxRowBytes,
  });
  const source = Readable.from(checkedUtf8(chunks, file), { objectMode: false });
  source.once("error", (error) => parser.destroy(error));
  let header: string[] | undefined;
  let row = 0;
  let rows: RawRow[] = [];
  try {
    for await (const record of source.pipe(parser) as unknown as AsyncIterable<RawRecord>) {
      const cells = record.record;
      const isStray = quotes && hasStrayText(record);
      if (header === undefined) {
        if (isStray) throw new DataError("invalid-csv", `the header: ${STRAY}`, { file, hint: QUOTES_HINT });
        header = parseHeader(cells, file);
        continue;
      }
      row++;
      rows.push(
        isStray
          ? { row, problem: new RowProblem("invalid-csv", STRAY, { hint: QUOTES_HINT }) }
          : recordOf(cells, header, row),
      );
      if (rows.length === BATCH_ROWS) {
        yield rows;
        rows = [];
      }
    }
  } catch (error) {
    if (rows.length > 0) yield rows;
    throw error instanceof CsvError ? csvError(error, file, recordsBefore(error) ?? row + 1, limits) : error;
  } finally {
    source.destroy();
    parser.destroy();
  }
  if (rows.length > 0) yield rows;
}

const STRAY = "text stands behind the closing quote of a cell";
const QUOTES_HINT =
  'A cell with a quote in it is written in quotes, with the quote doubled: "a ""word"""; where quotes are text and enclose no cell, say quotes: false.';

/** Records that the parser has seen, the header among them: the number of the row that it fails at. The rows before it
 * may still wait to be read when the error comes. */
function recordsBefore(error: CsvError): number | undefined {
  const { records } = error as { records?: unknown };
  return typeof records === "number" ? Math.max(1, records) : undefined;
}

function recordOf(cells: readonly string[], header: readonly string[], row: number): RawRow {
  if (cells.length !== header.length) {
    const message = `${cells.length} cells where the header has ${header.length} columns`;
    const hint = "Is a delimiter or a line end inside a cell that isn't quoted?";
    return { row, problem: new RowProblem("ragged-row", message, { hint }) };
  }
  const value: Record<string, unknown> = {};
  for (const [i, name] of header.entries()) value[name] = cells[i];
  return { row, value };
}

function csvError(error: CsvError, file: string, row: number, { maxRowBytes }: ReadLimits): DataError {
  if (error.code === "CSV_MAX_RECORD_SIZE") {
    return new DataError("row-too-large", `the record is longer than the limit of ${maxRowBytes} bytes`, {
      file,
      row,
      hint: "Is a closing quote missing? If the record is right, raise maxRowBytes.",
      cause: error,
    });
  }
  const cut = error.code === "CSV_QUOTE_NOT_CLOSED";
  const message = cut
    ? "the file ends inside a quoted cell of this row, or one that starts before"
    : `not CSV: ${error.message}`;
  return new DataError(cut ? "truncated" : "invalid-csv", message, {
    file,
    row,
    hint: cut
      ? "Is the file cut off, or a closing quote missing? Where quotes are text and enclose no cell, say quotes: false."
      : QUOTES_HINT,
    cause: error,
  });
}
