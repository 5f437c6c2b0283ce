// What training would see: rows rendered and tokenized whole, on a random sample of the data. The sample keeps
// inspection near the cost of encoding the parts alone.
import { type Example, TOKEN_CLASSES, type TokenClass } from "../data/example.ts";
import type { Template, TrainedTurns } from "../data/templates/index.ts";
import { partOfClass, type TokenPart } from "../data/token-parts.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import {
  CLASS_CODE,
  type ClassifiedTokens,
  countClasses,
  ExampleTokenizer,
  type TokenizationReport,
} from "../data/tokens/index.ts";
import { type Distribution, distributionOf } from "./distribution.ts";

export interface TrainedLengths {
  /** Rows in the sample, without those that the template refused. */
  readonly rows: number;
  readonly refused: number;
  /** Whole rows, template and stop token included. */
  readonly length: Distribution | undefined;
  readonly tokens: Readonly<Record<TokenClass, number>>;
  /** Completion and end tokens over all others; undefined without those. */
  readonly ratio: number | undefined;
  readonly lengths: readonly number[];
  readonly report: TokenizationReport;
  /** The tokens that end trained completions, the most frequent first. */
  readonly ends: readonly CompletionEnd[];
}

export interface CompletionEnd {
  readonly token: string;
  /** Completions that end in it. */
  readonly completions: number;
  /** Those of them in which the data gives it a weight of 0. */
  readonly untrained: number;
}

/** Tokens of each part. */
export function partTokens(tokens: Readonly<Record<TokenClass, number>>): Record<TokenPart, number> {
  const counts = { prompt: 0, content: 0, end: 0 };
  for (const name of TOKEN_CLASSES) counts[partOfClass(name)] += tokens[name];
  return counts;
}

export interface Training {
  readonly tokenizer: Tokenizer;
  readonly template: Template;
  readonly turns: TrainedTurns;
}

export async function trainedLengths(
  sample: readonly Example[],
  { tokenizer, template, turns }: Training,
): Promise<TrainedLengths> {
  const encoder = new ExampleTokenizer(tokenizer, template, { turns, onBadRow: "skip" });
  const tokens = countClasses(new Uint8Array(0));
  const lengths: number[] = [];
  const ends = new Map<number, { completions: number; untrained: number }>();
  for await (const row of encoder.rows(sample)) {
    countEnds(row, ends);
    lengths.push(row.ids.length);
    const counts = countClasses(row.classes);
    for (const name of TOKEN_CLASSES) tokens[name] += counts[name];
  }
  const { prompt, content, end } = partTokens(tokens);
  const { report } = encoder;
  return {
    rows: lengths.length,
    refused: report.skipped.length,
    length: distributionOf(lengths),
    tokens,
    ratio: prompt === 0 ? undefined : (content + end) / prompt,
    lengths,
    report,
    ends: [...ends]
      .map(([id, counts]) => ({ token: tokenizer.tokenOf(id) ?? String(id), ...counts }))
      .sort((a, b) => b.completions - a.completions),
  };
}

function countEnds(
  { ids, classes, partWeights, scales, rowWeight }: ClassifiedTokens,
  ends: Map<number, { completions: number; untrained: number }>,
): void {
  const isEnd = (i: number): boolean => classes[i] === CLASS_CODE.end;
  for (let i = 0; i < ids.length; i++) {
    // The last token of the stretch that ends a completion.
    if (!isEnd(i) || isEnd(i + 1)) continue;
    const { completions, untrained } = ends.get(ids[i]!) ?? { completions: 0, untrained: 0 };
    const isUntrained = rowWeight === 0 || partWeights?.[i] === 0 || scales?.[i] === 0;
    ends.set(ids[i]!, { completions: completions + 1, untrained: untrained + (isUntrained ? 1 : 0) });
  }
}
