// Short ways for tests to get tokens: rows from examples, and rows of numbers.
import type { Example } from "../src/data/example.ts";
import { createTemplate, type TemplateSpec } from "../src/data/templates/index.ts";
import type { Tokenizer } from "../src/data/tokenizer/index.ts";
import {
  type ClassifiedTokens,
  ExampleTokenizer,
  type TokenizationReport,
  type TokenizeOptions,
  WeightedTokens,
} from "../src/data/tokens/index.ts";

export interface TokenizedForTest {
  readonly rows: ClassifiedTokens[];
  readonly report: TokenizationReport;
}

export async function tokenizeAll(
  tokenizer: Tokenizer,
  template: TemplateSpec,
  examples: Iterable<Example>,
  options: TokenizeOptions = {},
): Promise<TokenizedForTest> {
  const run = new ExampleTokenizer(tokenizer, createTemplate(template, tokenizer), options);
  const rows: ClassifiedTokens[] = [];
  for await (const row of run.rows(examples)) rows.push(row);
  return { rows, report: run.report };
}

/** A row of `length` tokens with ids from `firstId` on; all completion but the first, all of weight 1. */
export function rowOfLength(length: number, firstId = 0, row = 1): WeightedTokens {
  const classes = new Uint8Array(length).fill(4);
  if (length > 1) classes[0] = 1;
  return WeightedTokens.of({
    ids: Int32Array.from({ length }, (_, i) => firstId + i),
    classes,
    weights: new Float32Array(length).fill(1),
    source: { file: "test.jsonl", row },
  });
}
