// Tables of scores in files: CSV and TSV with a header, JSONL of flat objects, a JSON list of them. Columns are text or
// numbers as the statistics take them. No nested values, no compressed files.
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import type { Cell, Row } from "../../statistics/index.ts";
import { TableFileError } from "../errors.ts";

type Reader = (text: string, file: string) => Row[];

function separated(delimiter: string): Reader {
  return (text, file) => {
    try {
      return parse(text, {
        bom: true,
        columns: uniqueNames(file),
        delimiter,
        skip_empty_lines: true,
        trim: true,
      });
    } catch (cause) {
      if (!(cause instanceof CsvError)) throw cause;
      throw new TableFileError(file, cause.message, { line: Number(cause.lines), cause });
    }
  };
}

function uniqueNames(file: string) {
  return (names: string[]): string[] => {
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) throw new TableFileError(file, `two columns are called ${twice}`, { line: 1 });
    return names;
  };
}

const jsonLines: Reader = (text, file) =>
  text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    return [flat(parseJson(line, file, i + 1), file, i + 1)];
  });

const jsonList: Reader = (text, file) => {
  const value = parseJson(text, file, undefined);
  if (!Array.isArray(value))
    throw new TableFileError(file, "there is no list of rows", {
      hint: "write [{…}, {…}], or one object a line in a .jsonl",
    });
  return value.map((row) => flat(row, file, undefined));
};

function parseJson(text: string, file: string, line: number | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TableFileError(file, (cause as Error).message, { line, cause });
  }
}

function flat(value: unknown, file: string, line: number | undefined): Row {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TableFileError(file, "a row must be an object of columns", { line });
  for (const [name, cell] of Object.entries(value))
    if (typeof cell === "object" && cell !== null)
      throw new TableFileError(file, `column ${name} holds a list or an object`, {
        line,
        hint: "columns hold numbers or text",
      });
  return value as Record<string, Cell>;
}

const readers: Readonly<Record<string, Reader>> = {
  ".csv": separated(","),
  ".tsv": separated("\t"),
  ".jsonl": jsonLines,
  ".ndjson": jsonLines,
  ".json": jsonList,
};

/**
 * Reads a table by its ending: .csv, .tsv, .jsonl, .ndjson, .json.
 * @throws {TableFileError} for a file that can't be read as one, with its line
 */
export function readTable(file: string): Row[] {
  const reader = readers[extname(file).toLowerCase()];
  if (reader === undefined)
    throw new TableFileError(file, `${extname(file) || "no ending"} is no table`, {
      hint: `a table ends in ${Object.keys(readers).join(", ")}`,
    });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new TableFileError(file, code === "ENOENT" ? "there is no such file" : message, { cause });
  }
  const rows = reader(text, file);
  if (rows.length === 0) throw new TableFileError(file, "the table has no rows");
  return rows;
}
