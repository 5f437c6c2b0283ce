// A file's rows, whatever its container.
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ReadCounters, ReadLimits, RowBatches } from "../raw-row.ts";
import { type DataFile, readBytes, withoutBom } from "./bytes.ts";
import type { Container } from "./container.ts";
import { guessDelimiter, readCsv } from "./csv.ts";
import { readJson } from "./json.ts";
import { readJsonLines } from "./jsonl.ts";
import { readPlainText, type SampleBy } from "./plain-text.ts";

export interface RowReadOptions {
  limits: ReadLimits;
  counters: ReadCounters;
  /** Of a JSON document that is an object: the key of the list of rows. */
  field?: string | undefined;
  delimiter?: string | undefined;
  quotes?: boolean | undefined;
  sampleBy?: SampleBy | undefined;
  /** Given the columns of a container that names them before its rows, chooses those to decode. */
  chooseColumns?: ((columns: readonly string[]) => ReadonlySet<string>) | undefined;
}

/** Reads a file that `detectContainer` has looked at. */
export async function* readRows(file: DataFile, container: Container, options: RowReadOptions): RowBatches {
  const { limits, counters, field, sampleBy = "line" } = options;
  if (container.kind === "parquet") {
    yield* container.gzip ? readGunzippedParquet(file, options) : readParquet(file, options);
    return;
  }
  const bytes = withoutBom(readBytes(file, { gzip: container.gzip, chunkBytes: limits.chunkBytes }));
  switch (container.kind) {
    case "json":
      return yield* readJson(bytes, file.name, field, limits);
    case "jsonl":
      return yield* readJsonLines(bytes, limits, counters, container.lineEnd);
    case "csv":
      return yield* readCsv(bytes, file.name, {
        delimiter: options.delimiter ?? delimiterOf(container),
        quotes: options.quotes ?? true,
        limits,
      });
    case "text":
      return yield* readPlainText(bytes, sampleBy, limits, counters, container.lineEnd);
  }
}

async function* readParquet(file: DataFile, { chooseColumns, limits }: RowReadOptions): RowBatches {
  // Parquet and its compressions are large, and few runs read it.
  const { openParquet } = await import("./parquet.ts");
  const parquet = await openParquet(file, limits);
  const chosen = chooseColumns?.(parquet.columns);
  yield* parquet.read(parquet.columns.filter((name) => chosen?.has(name) ?? true));
}

/** Parquet is read from its end, so a gzipped one is unpacked into a temporary file. */
async function* readGunzippedParquet(file: DataFile, options: RowReadOptions): RowBatches {
  const folder = await mkdtemp(join(tmpdir(), "promptloss-"));
  try {
    const path = join(folder, "data.parquet");
    const { chunkBytes } = options.limits;
    await pipeline(readBytes(file, { gzip: true, chunkBytes }), createWriteStream(path));
    yield* readParquet({ path, name: file.name }, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The delimiter of the first line that isn't blank. */
function delimiterOf({ head }: Container): string {
  const lines = head.toString("utf8").split(/\r?\n|\r/);
  return guessDelimiter(lines.find((line) => line.trim() !== "") ?? "");
}
