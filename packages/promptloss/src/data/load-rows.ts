// From sources to classified rows at one call: read, tokenised, and kept in the token cache, so that a second run
// over the same files, tokenizer and template tokenises nothing.
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, thisMachine } from "@promptloss/torch/setup";
import { hashFile, openTokenCache, type TokenCache, tokenCacheKey } from "./cache/index.ts";
import { type DataSource, type ReadOptions, readExamples, resolveFiles } from "./rows/index.ts";
import type { Template, TrainedTurns } from "./templates/index.ts";
import type { Tokenizer } from "./tokenizer/index.ts";
import { ExampleTokenizer } from "./tokens/index.ts";

export interface LoadRowsOptions {
  readonly tokenizer: Tokenizer;
  readonly template: Template;
  /** Which assistant turns are trained; all when left out. */
  readonly turns?: TrainedTurns;
  readonly read?: ReadOptions;
  /** Where caches are kept; the user's cache folder when left out. */
  readonly cache?: string;
  /** Told what is worth knowing: a cache built again, a row that was skipped. */
  readonly onNote?: (line: string) => void;
}

/** Where token caches are kept where nothing else is said. */
export const tokenCacheFolder = (): string => join(cacheFolder(thisMachine()), "tokens");

/**
 * Opens the rows of some data sources. Close them when done.
 * @throws DataError for data that can't be used, TemplateError and TokenRowError for rows that can't be rendered
 */
export const loadRows = async (
  sources: readonly DataSource[],
  {
    tokenizer,
    template,
    turns = "all",
    read = {},
    cache = tokenCacheFolder(),
    onNote = () => {},
  }: LoadRowsOptions,
): Promise<TokenCache> => {
  const files: Record<string, string> = {};
  for (const source of sources)
    for (const { name, path } of await resolveFiles(source, read.hub ?? {}, onNote))
      files[name] = await hashFile(path);
  const { hub: _hub, onSkip: _onSkip, ...reading } = read;
  const key = tokenCacheKey({
    files,
    tokenizer,
    template,
    turns,
    onBadRow: read.onBadRow ?? "error",
    reading: { sources, ...reading },
  });
  mkdirSync(cache, { recursive: true });
  const name = createHash("sha256")
    .update(JSON.stringify([sources, template.fingerprint]))
    .digest("hex");
  const make = () => {
    const stream = readExamples(sources, read);
    const encoder = new ExampleTokenizer(tokenizer, template, { turns, onBadRow: read.onBadRow ?? "error" });
    return {
      rows: (async function* () {
        yield* encoder.rows(stream);
        const { skipped, notes } = stream.report;
        for (const note of notes) onNote(note);
        if (skipped > 0)
          onNote(`${skipped} rows of the data were left out; promptloss inspect --verbose lists them`);
      })(),
      report: () => encoder.report,
    };
  };
  return openTokenCache(join(cache, `${name.slice(0, 32)}.tokens`), key, make, { onRebuild: onNote });
};
