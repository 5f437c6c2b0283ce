// Rows that arrive as ids, read without a tokenizer: what ids there are and which of them stop, the model's folder says.
import type { Example } from "../data/example.ts";
import { addCounts } from "../data/left-out.ts";
import { type DataError, type DataSource, type ReadOptions, readExamples } from "../data/rows/index.ts";
import { readStopIds } from "../data/tokenizer/folder.ts";
import { classifyIds, type IdVocabulary } from "../data/tokens/classify-ids.ts";
import { type ClassifiedRows, type ClassifiedTokens, TokenRowError } from "../data/tokens/index.ts";
import { type TokenizationReport, TokenizationTally } from "../data/tokens/tokenization-report.ts";
import { readModelConfig } from "../models/config/read-config.ts";

export interface IdRows {
  readonly rows: ClassifiedRows;
  readonly report: TokenizationReport;
}

/** The vocabulary that a model's folder tells of. */
export async function modelVocabulary(folder: string): Promise<IdVocabulary> {
  const { vocabularySize } = readModelConfig(folder).architecture;
  return { vocabularySize, stopIds: new Set(await readStopIds(folder)), owner: "the model" };
}

/**
 * Reads all rows into memory.
 * @throws {DataError}, {TokenRowError} for rows that can't be used, unless bad rows are skipped
 */
export async function loadIdRows(
  sources: readonly DataSource[],
  read: ReadOptions,
  vocabulary: IdVocabulary,
): Promise<IdRows> {
  const unread: DataError[] = [];
  const tally = new TokenizationTally(
    { stopIds: vocabulary.stopIds, specialIds: new Set(), tokenOf: () => undefined },
    [],
  );
  const onSkip = (error: DataError): void => {
    read.onSkip?.(error);
    unread.push(error);
  };
  const stream = readExamples(sources, { ...read, onSkip });
  const rows: ClassifiedTokens[] = [];
  for await (const example of stream) {
    if (example.kind !== "tokens") throw needsTokenizer(example);
    try {
      const row = classifyIds(example, vocabulary);
      tally.addTokens(row, false);
      rows.push(row);
    } catch (error) {
      if (!(error instanceof TokenRowError) || read.onBadRow !== "skip") throw error;
      tally.addSkipped(error);
    }
  }
  const report = tally.report();
  const skipped = unread.map(({ file = "", row = 0, reason: cause, message }) => ({
    source: { file, row },
    cause,
    message,
  }));
  return {
    rows: { length: rows.length, at: (index) => rows[index] },
    report: {
      ...report,
      skipped: [...skipped, ...report.skipped],
      skippedBy: addCounts(stream.report.skippedBy, report.skippedBy),
      ignoredColumns: stream.report.ignoredColumns,
    },
  };
}

function needsTokenizer({ source }: Example): TokenRowError {
  return new TokenRowError(source, "bad-tokens", "is text, and there is no tokenizer to read it with");
}
