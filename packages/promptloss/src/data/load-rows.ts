// From sources to classified rows at one call: read, tokenized, and kept in the token cache, so that a second run
// over the same files, tokenizer and template tokenizes nothing.

import { statSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, thisMachine } from "@promptloss/torch/machine";
import { makeFolder } from "../files/atomic.ts";
import {
  hashFile,
  openTokenCache,
  type TokenCache,
  tidyTokenCaches,
  tokenCacheKey,
  tokenCacheName,
} from "./cache/index.ts";
import { markUsed } from "./cache/tidy.ts";
import { addCounts } from "./left-out.ts";
import { isDrawn } from "./rows/data-source.ts";
import {
  type DataError,
  type DataSource,
  type ReadOptions,
  readExamples,
  resolveFiles,
} from "./rows/index.ts";
import type { Template, TrainedTurns } from "./templates/index.ts";
import type { Tokenizer } from "./tokenizer/index.ts";
import { ExampleTokenizer, type SkippedRow } from "./tokens/index.ts";

export interface LoadRowsOptions {
  readonly tokenizer: Tokenizer;
  readonly template: Template;
  /** Which assistant turns are trained; all when left out. */
  readonly turns?: TrainedTurns;
  readonly read?: ReadOptions;
  /** Where caches are kept; the user's cache folder when left out. */
  readonly cache?: string;
  /** Called with what is worth knowing of the data, such as a copy read because the hub was out of reach. */
  readonly onNote?: (line: string) => void;
  /**
   * Called with the number of rows tokenized so far, and the share of the files' bytes that they took, from 0 to 1; not at
   * all where the cache has them.
   */
  readonly onRow?: (rows: number, share: number) => void;
  /** Called where a cache was not usable and rows are tokenized again. Nothing of the run: results are the same. */
  readonly onRebuild?: (line: string) => void;
}

/** Rows that reading left out which a cache keeps by name; all are counted. */
const KEPT = 1000;

/** Where token caches are kept where nothing else is said. */
export function tokenCacheFolder(): string {
  return join(cacheFolder(thisMachine()), "tokens");
}

/**
 * Opens the rows of some data sources; the report counts the rows that were left out, by reading too. Close them when
 * done.
 * @throws {DataError} for data that can't be used, {TemplateError} and {TokenRowError} for rows that can't be rendered
 */
export async function loadRows(
  sources: readonly DataSource[],
  {
    tokenizer,
    template,
    turns = "all",
    read = {},
    cache = tokenCacheFolder(),
    onNote = () => {},
    onRow = () => {},
    onRebuild = () => {},
  }: LoadRowsOptions,
): Promise<TokenCache> {
  const files: Record<string, string> = {};
  let size = 0;
  for (const source of sources)
    for (const { name, path } of await resolveFiles(source, read.hub ?? {}, onNote)) {
      files[name] = await hashFile(path);
      // A source of a higher weight is read several times.
      size += statSync(path).size * Math.ceil(source.weight ?? 1);
    }
  const { hub: _hub, onSkip: _onSkip, onBytes: _onBytes, seed = 0, ...reading } = read;
  const key = tokenCacheKey({
    files,
    tokenizer,
    template,
    turns,
    onBadRow: read.onBadRow ?? "error",
    // The seed changes rows only where some are drawn.
    reading: { sources, ...reading, ...(sources.some(isDrawn) && { seed }) },
  });
  makeFolder(cache);
  const make = () => {
    const unread: SkippedRow[] = [];
    const onSkip = (error: DataError): void => {
      read.onSkip?.(error);
      const { file = "", row = 0, reason: cause, message } = error;
      if (unread.length < KEPT) unread.push({ source: { file, row }, cause, message });
    };
    let bytes = 0;
    const onBytes = (more: number): void => {
      bytes += more;
      read.onBytes?.(more);
    };
    const stream = readExamples(sources, { ...read, onSkip, onBytes });
    const encoder = new ExampleTokenizer(tokenizer, template, { turns, onBadRow: read.onBadRow ?? "error" });
    return {
      rows: counted(encoder.rows(stream), (count) => onRow(count, Math.min(1, bytes / size))),
      report: () => {
        const { report } = encoder;
        const { skippedBy: read, ignoredColumns, counted } = stream.report;
        const skippedBy = addCounts(read, report.skippedBy);
        const warnings = [...counted, ...report.warnings];
        return { ...report, skipped: [...unread, ...report.skipped], skippedBy, ignoredColumns, warnings };
      },
    };
  };
  const path = join(cache, tokenCacheName(key));
  let built = false;
  const rows = await openTokenCache(
    path,
    key,
    () => {
      built = true;
      return make();
    },
    { onRebuild },
  );
  if (built) tidyTokenCaches(cache);
  else markUsed(path);
  return rows;
}

async function* counted<T>(rows: AsyncIterable<T>, onRow: (rows: number) => void): AsyncGenerator<T> {
  let count = 0;
  for await (const row of rows) {
    yield row;
    onRow(++count);
  }
}
