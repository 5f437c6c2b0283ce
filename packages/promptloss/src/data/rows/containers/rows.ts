// A file's rows, whatever its container.
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DataError, messageOf } from "../data-error.ts";
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
  /** Called with how many more bytes of the file were read; of Parquet, its size over its rows for each row. */
  onBytes?: ((bytes: number) => void) | undefined;
  /** Given the columns of a container that names them before its rows, chooses those to decode. */
  chooseColumns?: ((columns: readonly string[]) => ReadonlySet<string>) | undefined;
}

/** Reads a file that `detectContainer` has looked at. */
export async function* readRows(file: DataFile, container: Container, options: RowReadOptions): RowBatches {
  const { limits, counters, field, onBytes, sampleBy = "line" } = options;
  if (container.kind === "parquet") {
    const size = onBytes === undefined ? 0 : (await stat(file.path)).size;
    const rows = container.gzip
      ? readGunzippedParquet(file, options, size)
      : readParquet(file, options, size);
    return yield* rows;
  }
  const { gzip } = container;
  const bytes = withoutBom(readBytes(file, { gzip, chunkBytes: limits.chunkBytes, onBytes }));
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

async function* readParquet(
  file: DataFile,
  { chooseColumns, limits, onBytes }: RowReadOptions,
  size: number,
): RowBatches {
  // Parquet and its compressions are large, and few runs read it.
  const { openParquet } = await import("./parquet.ts");
  const parquet = await openParquet(file, limits);
  const chosen = chooseColumns?.(parquet.columns);
  for await (const rows of parquet.read(parquet.columns.filter((name) => chosen?.has(name) ?? true))) {
    onBytes?.((rows.length * size) / parquet.rows);
    yield rows;
  }
}

/** Parquet is read from its end, so a gzipped one is unpacked into a temporary file. */
async function* readGunzippedParquet(file: DataFile, options: RowReadOptions, size: number): RowBatches {
  const folder = await mkdtemp(join(tmpdir(), "promptloss-unpacked-"));
  try {
    const path = join(folder, "data.parquet");
    await unpack(file, path, options.limits);
    yield* readParquet({ path, name: file.name }, options, size);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unpack(file: DataFile, path: string, limits: ReadLimits): Promise<void> {
  const { chunkBytes, maxUnpackedBytes } = limits;
  try {
    await pipeline(
      atMost(readBytes(file, { gzip: true, chunkBytes }), maxUnpackedBytes, file.name),
      createWriteStream(path),
    );
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError("unreadable", `can't be unpacked into ${tmpdir()}: ${messageOf(cause)}`, {
      file: file.name,
      hint: "Unpack it where there is room (gunzip FILE), or set TMPDIR to such a folder.",
      cause,
    });
  }
}

/** A small gzip file can unpack to anything, and it goes to the disk before a byte of it is looked at. */
async function* atMost(
  chunks: AsyncIterable<Buffer>,
  most: number,
  file: string,
): AsyncGenerator<Buffer, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > most)
      throw new DataError("file-too-large", `unpacks to more than the limit of ${most} bytes`, {
        file,
        hint: "If the file is right, raise maxUnpackedBytes, or unpack it (gunzip FILE): Parquet is compressed inside.",
      });
    yield chunk;
  }
}

/** The delimiter of the first line that isn't blank. */
function delimiterOf({ head }: Container): string {
  const lines = head.toString("utf8").split(/\r?\n|\r/);
  return guessDelimiter(lines.find((line) => line.trim() !== "") ?? "");
}
