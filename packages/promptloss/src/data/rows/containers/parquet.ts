// Parquet through hyparquet: slices of rows, only the columns that are asked for, in bounded memory.
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type RowGroup,
} from "hyparquet";
import { assembleAsync, asyncGroupToRows } from "hyparquet/src/rowgroup.js";
import type { SchemaTree } from "hyparquet/src/types.js";
import { DataError, messageOf } from "../data-error.ts";
import { BATCH_ROWS, BrokenText, type RawRow, type ReadLimits, type RowBatches } from "../raw-row.ts";
import { type DataFile, readTail } from "./bytes.ts";
import { ColumnPages, type PageSource } from "./parquet-pages.ts";
import { brokenUtf8Offset, decodeUtf8 } from "./utf8.ts";

export interface ParquetFile {
  readonly columns: readonly string[];
  readonly rows: number;
  /** The rows, with the named columns only. */
  read(columns: readonly string[]): RowBatches;
}

/** Opens a Parquet file. @throws {DataError} where its end is missing or its footer is broken */
export async function openParquet(
  file: DataFile,
  { maxPageBytes }: Pick<ReadLimits, "maxPageBytes">,
): Promise<ParquetFile> {
  const tail = await readTail(file, 4);
  if (tail.toString("latin1") !== "PAR1") {
    throw new DataError("truncated", "the Parquet file doesn't end with its footer", {
      file: file.name,
      hint: "The file is cut off: fetch it again.",
    });
  }
  const buffer = await asyncBufferFromFile(file.path);
  let metadata: FileMetaData;
  let schema: SchemaTree;
  try {
    metadata = await parquetMetadataAsync(buffer);
    schema = parquetSchema(metadata);
  } catch (cause) {
    const message = `the footer can't be read: ${messageOf(cause)}`;
    throw new DataError("invalid-parquet", message, { file: file.name, cause });
  }
  return {
    columns: schema.children.map(({ element }) => element.name),
    rows: Number(metadata.num_rows),
    read: (columns) =>
      readRows({ file: buffer, schema, maxPageBytes }, metadata.row_groups, columns, file.name),
  };
}

async function* readRows(
  source: PageSource,
  groups: readonly RowGroup[],
  columns: readonly string[],
  name: string,
): RowBatches {
  let row = 0;
  for (const [index, group] of groups.entries()) {
    const groupEnd = row + Number(group.num_rows);
    try {
      for await (const values of readGroup(source, group, columns)) {
        yield values.map((value): RawRow => ({ row: ++row, value }));
      }
    } catch (cause) {
      throw new DataError("invalid-parquet", `row group ${index + 1} can't be read: ${messageOf(cause)}`, {
        file: name,
        row: row + 1,
        hint: "The file may be damaged: fetch it again.",
        cause,
      });
    }
    if (row !== groupEnd) {
      throw new DataError("invalid-parquet", `row group ${index + 1} has fewer rows than its footer says`, {
        file: name,
        row: row + 1,
      });
    }
  }
}

async function* readGroup(
  source: PageSource,
  group: RowGroup,
  columns: readonly string[],
): AsyncGenerator<Record<string, unknown>[], void> {
  const wanted = group.columns.flatMap(({ meta_data }) =>
    meta_data !== undefined && columns.includes(meta_data.path_in_schema[0]!)
      ? [new ColumnPages(source, meta_data, PARSERS)]
      : [],
  );
  const groupRows = Number(group.num_rows);
  for (let start = 0; start < groupRows; start += BATCH_ROWS) {
    const count = Math.min(BATCH_ROWS, groupRows - start);
    const parts = await Promise.all(wanted.map((pages) => pages.take(count)));
    if (parts.some((rows) => rows.length < count)) throw new Error("a column ends early");
    const asyncColumns = wanted.map(({ path }, i) => ({
      pathInSchema: path,
      data: Promise.resolve({ data: [parts[i]!], skipped: 0 }),
    }));
    const assembled = assembleAsync(
      { groupStart: 0, groupRows: count, asyncColumns },
      source.schema,
      PARSERS,
    );
    yield await asyncGroupToRows(assembled, 0, count, [...columns], "object");
  }
}

function stringFromBytes(bytes: Uint8Array | undefined): unknown {
  // A null cell reaches the parser as undefined.
  if (bytes === undefined || bytes === null) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeUtf8(buffer) ?? new BrokenText(brokenUtf8Offset(bytes));
}

const PARSERS = { stringFromBytes, jsonFromBytes: stringFromBytes };
