// Files for tests: a folder that goes with the test, and rows written in each container.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { onTestFinished } from "vitest";
import type { Example } from "../src/data/example.ts";
import { DataError, type DataSource, loadExamples, type ReadOptions } from "../src/data/rows/index.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A new folder, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-rows-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file into a new folder; its path. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

export function jsonl(...rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

function csvCell(value: unknown): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  return `"${text.replaceAll('"', '""')}"`;
}

export function csv(rows: readonly Row[]): string {
  const names = Object.keys(rows[0]!);
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

/** Columns of text as strings, of anything else as JSON, which hyparquet gives back as text: lists become text too. */
export function parquet(rows: readonly Row[], rowGroupSize = 3, pageSize = 64): Uint8Array {
  const columnData = Object.keys(rows[0]!).map((name) => ({
    name,
    data: rows.map((row) => {
      const value = row[name];
      return typeof value === "string" || value === undefined ? value : JSON.stringify(value);
    }),
    type: "STRING" as const,
    nullable: true,
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize, pageSize }));
}

export const WRITERS: Readonly<Record<string, (rows: readonly Row[]) => string | Uint8Array>> = {
  "rows.json": (rows) => JSON.stringify(rows, null, 2),
  "rows.jsonl": (rows) => jsonl(...rows),
  "rows.csv": csv,
  "rows.parquet": (rows) => parquet(rows),
};

export const CONTAINER_NAMES = Object.keys(WRITERS).flatMap((name) => [name, `${name}.gz`]);

/** The rows as a file of that name's container. */
export function encode(name: string, rows: readonly Row[]): Uint8Array {
  const bytes = WRITERS[name.replace(/\.gz$/, "")]!(rows);
  return name.endsWith(".gz") ? gzipSync(bytes) : typeof bytes === "string" ? Buffer.from(bytes) : bytes;
}

/** The examples in a file of this content. */
export async function read(
  name: string,
  content: string | Uint8Array,
  source: Omit<DataSource, "path"> = {},
  options: ReadOptions = {},
): Promise<Example[]> {
  return (await loadExamples({ path: file(name, content), ...source }, options)).examples;
}

/** The examples without where they were read. */
export function withoutSource(examples: readonly Example[]): unknown[] {
  return examples.map(({ source: _, ...rest }) => rest);
}

/** The DataError that a promise ends with, its folder taken out of the texts. */
export async function failure(promise: Promise<unknown>): Promise<DataError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error("no error was thrown");
}

/** The error of reading rows, each a line of JSON. */
export function rowFailure(
  rows: readonly unknown[],
  source: Omit<DataSource, "path"> = {},
  options: ReadOptions = { emptyCompletions: "refuse" },
): Promise<DataError> {
  return failure(read("rows.jsonl", jsonl(...rows), source, options));
}
