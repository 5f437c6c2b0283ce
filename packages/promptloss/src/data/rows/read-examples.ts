// The way in: sources to a stream of examples, with a report of what was read and what was left out.

import type { HubOptions } from "../../hub/settings.ts";
import type { Example } from "../example.ts";
import type { DataFile } from "./containers/bytes.ts";
import { DataError } from "./data-error.ts";
import { checkSource, type DataSource } from "./data-source.ts";
import { EMPTY_COMPLETIONS, type EmptyCompletions } from "./empty-completions.ts";
import { resolveFiles } from "./files/resolve.ts";
import { DEFAULT_LIMITS } from "./raw-row.ts";
import { ReportBuilder, type RowReport, type SourceReport } from "./report.ts";
import { randomFor, sampleItems, takeShare } from "./sampling.ts";
import { readSourceFiles } from "./source-rows.ts";

export interface ReadOptions {
  /** A bad row ends the reading with a DataError, or is left out and counted. Default: error. */
  onBadRow?: "error" | "skip";
  /** Told of each bad row that is left out. */
  onSkip?: (error: DataError) => void;
  /**
   * A row with an empty completion is left out and counted, is a bad row, or is kept: its stop token is still trained, as
   * Stanford's program does with the 28 such rows of AlpacaData. Default: skip.
   */
  emptyCompletions?: EmptyCompletions;
  /** For the draws of `weight` and `sample`: the same seed, the same examples. Default: 0. */
  seed?: number;
  /** The most bytes that one row may take. Default: 64 MiB. */
  maxRowBytes?: number;
  /** Bytes asked of the disk at a time. Default: 256 KiB. */
  chunkBytes?: number;
  /** The most bytes that a page of a Parquet file may unpack to. Default: 512 MiB. */
  maxPageBytes?: number;
  /** The most bytes that a gzipped Parquet file may unpack to, on the disk. Default: 16 GiB. */
  maxUnpackedBytes?: number;
  /** Called while files are read, with how many more of their bytes were, as they are on the disk. */
  onBytes?: (bytes: number) => void;
  hub?: HubOptions;
}

/** Examples, in the order of the sources, files and rows. Iterating again reads again. */
export interface ExampleStream extends AsyncIterable<Example> {
  /** What the last iteration has read so far. */
  readonly report: RowReport;
}

/**
 * Reads the sources one after the other, in memory that doesn't grow with the files. Checks the options at once.
 * @throws {DataError} while it is iterated, at the first thing that can't be used
 */
export function readExamples(
  sources: DataSource | readonly DataSource[],
  options: ReadOptions = {},
): ExampleStream {
  const list = [sources].flat() as DataSource[];
  if (list.length === 0) throw new DataError("invalid-option", "there is no data source");
  for (const source of list) checkSource(source);
  checkOptions(options);
  let report = new ReportBuilder(options.onSkip);
  return {
    get report() {
      return report.snapshot();
    },
    async *[Symbol.asyncIterator]() {
      report = new ReportBuilder(options.onSkip);
      for (const [i, source] of list.entries()) yield* readSource(source, i, options, report);
    },
  };
}

/**
 * All the examples at once, with the report.
 * @example
 * ```ts
 * import { loadExamples } from "promptloss";
 *
 * const { examples, report } = await loadExamples({ path: "rows.json" });
 * console.log(`${examples.length} examples, ${report.skipped} rows left out`);
 * ```
 */
export async function loadExamples(
  sources: DataSource | readonly DataSource[],
  options: ReadOptions = {},
): Promise<{ examples: Example[]; report: RowReport }> {
  const stream = readExamples(sources, options);
  const examples: Example[] = [];
  for await (const example of stream) examples.push(example);
  return { examples, report: stream.report };
}

async function* readSource(
  config: DataSource,
  index: number,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<Example, void> {
  const source = report.addSource(config.path);
  const files = await resolveFiles(config, options.hub ?? {}, (note) => report.notes.push(note));
  const pass = await openPasses(config, files, index, options, report, source);
  const { weight = 1 } = config;
  const [whole, share] = [Math.floor(weight), weight - Math.floor(weight)];
  for (let i = 0; i < whole; i++) yield* counted(pass(), source);
  if (share > 0) yield* counted(takeShare(pass(), share, randomFor(options.seed ?? 0, index, 1)), source);
}

/** A function that gives the source's examples, limited, as often as it is called; only the first is counted. */
async function openPasses(
  config: DataSource,
  files: readonly DataFile[],
  index: number,
  { onBadRow = "error", emptyCompletions = "skip", seed = 0, ...rest }: ReadOptions,
  report: ReportBuilder,
  source: SourceReport,
): Promise<() => AsyncIterable<Example>> {
  const limits = {
    maxRowBytes: rest.maxRowBytes ?? DEFAULT_LIMITS.maxRowBytes,
    chunkBytes: rest.chunkBytes ?? DEFAULT_LIMITS.chunkBytes,
    maxPageBytes: rest.maxPageBytes ?? DEFAULT_LIMITS.maxPageBytes,
    maxUnpackedBytes: rest.maxUnpackedBytes ?? DEFAULT_LIMITS.maxUnpackedBytes,
  };
  let count = true;
  const readAll = (): AsyncIterable<Example> => {
    const read = readSourceFiles(files, config, {
      limits,
      onBytes: rest.onBytes,
      onBadRow,
      emptyCompletions,
      report,
      source,
      count,
    });
    count = false;
    return read;
  };
  const { limit } = config;
  if (limit === undefined) return readAll;
  if (config.sample !== "random") return () => first(readAll(), limit);
  const kept = await sampleItems(readAll(), limit, randomFor(seed, index, 0));
  return () => each(kept);
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}

async function* first<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T, void> {
  let taken = 0;
  for await (const item of items) {
    yield item;
    if (++taken === count) return;
  }
}

async function* counted(
  examples: AsyncIterable<Example>,
  source: SourceReport,
): AsyncGenerator<Example, void> {
  for await (const example of examples) {
    source.examples++;
    yield example;
  }
}

function checkOptions(options: ReadOptions): void {
  const { onBadRow = "error", emptyCompletions = "skip", seed = 0 } = options;
  const fail = (field: string, expected: string): never => {
    throw new DataError("invalid-option", `${expected} was expected`, { field });
  };
  if (onBadRow !== "error" && onBadRow !== "skip") fail("onBadRow", '"error" or "skip"');
  if (!EMPTY_COMPLETIONS.includes(emptyCompletions)) fail("emptyCompletions", '"skip", "refuse" or "keep"');
  if (!Number.isSafeInteger(seed)) fail("seed", "a whole number");
  for (const name of ["maxRowBytes", "chunkBytes", "maxPageBytes", "maxUnpackedBytes"] as const) {
    const { [name]: limit = 1 } = options;
    if (!Number.isSafeInteger(limit) || limit < 1) fail(name, "a whole number above 0");
  }
}
