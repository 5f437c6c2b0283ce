// Rows for tests of the token cache, made from their number.
import type { TokenCacheKey } from "../src/data/cache/index.ts";
import type { ClassifiedTokens, TokenizationReport } from "../src/data/tokens/index.ts";

export const CACHE_KEY: TokenCacheKey = { "file a.json": "1", tokenizer: "2", template: "3" };

/** Row `i`: every third with part weights, every fourth with scales, every second of weight 0.1, from one of two files, every fifth of a group, of any length. */
export function cacheRow(i: number): ClassifiedTokens {
  const length = 1 + ((i * 7) % 13);
  return {
    ids: Int32Array.from({ length }, (_, token) => 1000 * i + token),
    classes: Uint8Array.from({ length }, (_, token) => (i + token) % 6),
    partWeights:
      i % 3 === 0
        ? Float32Array.from({ length }, (_, token) => (token % 2 === 0 ? Number.NaN : token))
        : undefined,
    scales: i % 4 === 0 ? Float32Array.from({ length }, (_, token) => token / 2) : undefined,
    rowWeight: i % 2 === 0 ? 0.1 : 1,
    source: {
      file: i % 2 === 0 ? "a.json" : "b.json",
      row: i + 1,
      ...(i % 5 === 0 && { group: `group ${i % 2}` }),
    },
  };
}

export function cacheReport(): TokenizationReport {
  return {
    rows: 3,
    tokens: {
      ...{ system: 0, instruction: 1, input: 2, template: 3, completion: 4, end: 5 },
      ...{ "tool-definition": 6, "tool-result": 7, reasoning: 8, "tool-call": 9 },
    },
    straddles: 6,
    straddledRows: [],
    retokenizedHistories: 0,
    completions: 3,
    completionsWithoutStop: 0,
    splitRows: 0,
    rowsFromSplits: 0,
    markedTurns: 0,
    unlikeMarks: 0,
    specialTokensInData: 0,
    skipped: [],
    skippedBy: { template: 2 },
    ignoredColumns: ["id"],
    warnings: ["a warning"],
  };
}
