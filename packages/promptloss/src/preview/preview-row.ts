// One row as training would see it, token by token. Pure but for the tokenizer's vocabulary.
import { type RowSource, TOKEN_CLASSES, type TokenClass } from "../data/example.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import {
  type ClassifiedTokens,
  cutRange,
  type Fit,
  fitTokens,
  type OverflowOptions,
  type ResolvedWeightPolicy,
  type WeightedTokens,
  weighTokens,
} from "../data/tokens/index.ts";

export interface PreviewToken {
  readonly index: number;
  readonly id: number;
  /** What it stands for; empty where its bytes only end a character that an earlier token begins. */
  readonly text: string;
  readonly class: TokenClass;
  /** The weight of predicting this token; the first of a row is never predicted. */
  readonly weight: number;
  readonly special: boolean;
  /** Cut off by the overflow policy. */
  readonly cut: boolean;
}

export interface ClassTotal {
  readonly class: TokenClass;
  readonly tokens: number;
  readonly trained: number;
  /** Sum of weights. */
  readonly weight: number;
}

export interface PreviewRow {
  readonly source: RowSource;
  readonly tokens: readonly PreviewToken[];
  readonly fit: Fit["kind"];
  /** Of a model with an encoder: how many of the first tokens left it reads, and nothing predicts. */
  readonly encoded?: number;
  /** The row's prompt without some spans, which the decoder restores: a row beside the row. */
  readonly restores?: true;
  /** Of the tokens that are left, the first of the row not counted as trained. */
  readonly totals: readonly ClassTotal[];
}

export interface PreviewOptions {
  readonly tokenizer: Tokenizer;
  readonly policy: ResolvedWeightPolicy;
  readonly overflow?: OverflowOptions | undefined;
}

/**
 * @throws {TokenRowError} where the overflow policy is `error` and the row too long
 * @example
 * ```ts
 * import { createTemplate, loadExamples, loadTokenizer, previewRow } from "promptloss";
 * import { ExampleTokenizer, resolveWeightPolicy } from "promptloss/data";
 *
 * const tokenizer = await loadTokenizer("model");
 * const encoder = new ExampleTokenizer(tokenizer, createTemplate("alpaca", tokenizer));
 * const { examples } = await loadExamples({ path: "rows.json", limit: 1 });
 * for await (const row of encoder.rows(examples)) {
 *   const { tokens } = previewRow(row, { tokenizer, policy: resolveWeightPolicy({ promptLossWeight: 0.1 }) });
 *   for (const { text, weight } of tokens) console.log(`${weight} ${text}`);
 * }
 * ```
 */
export function previewRow(
  row: ClassifiedTokens,
  { tokenizer, policy, overflow }: PreviewOptions,
): PreviewRow {
  const whole = weighTokens(row, policy);
  const fit: Fit = overflow === undefined ? { kind: "kept", tokens: whole } : fitTokens(whole, overflow);
  const [from, to] = cutRange(whole, fit, overflow);
  const tokens = previewTokens(whole, tokenizer, [from, to]);
  return { source: row.source, tokens, fit: fit.kind, totals: totalsOf(tokens) };
}

/**
 * The rows that a model with an encoder gets of a row: itself, and its prompt without some spans where the decoder restores
 * it.
 * @param sided the row with what the encoder reads alone
 */
export function previewSides(
  row: ClassifiedTokens,
  options: PreviewOptions,
  sided: (row: WeightedTokens) => WeightedTokens,
  corrupt: ((row: WeightedTokens) => WeightedTokens | undefined) | undefined,
): PreviewRow[] {
  const shown = previewRow(row, options);
  const whole = weighTokens(row, options.policy);
  const kept = options.overflow === undefined ? whole : fitTokens(whole, options.overflow).tokens;
  if (kept === undefined) return [shown];
  const { encoded } = sided(kept);
  const own = encoded === undefined ? shown : withEncoded(shown, encoded);
  const restored = corrupt?.(kept);
  if (restored === undefined) return [own];
  const tokens = previewTokens(restored, options.tokenizer);
  const { source, encoded: read = 0 } = restored;
  return [own, { source, tokens, fit: "kept", encoded: read, restores: true, totals: totalsOf(tokens) }];
}

/** Nothing predicts what only the encoder reads, so it weighs nothing. */
function withEncoded(row: PreviewRow, encoded: number): PreviewRow {
  let left = encoded;
  const tokens = row.tokens.map((token) => (token.cut || left-- <= 0 ? token : { ...token, weight: 0 }));
  return { ...row, tokens, encoded, totals: totalsOf(tokens) };
}

/** @param cut tokens from and up to which are cut off */
function previewTokens(
  { ids, classes, weights }: WeightedTokens,
  tokenizer: Tokenizer,
  [from, to]: readonly [number, number] = [ids.length, ids.length],
): PreviewToken[] {
  const texts = tokenTexts(ids, tokenizer);
  return Array.from(ids, (id, index) => ({
    index,
    id,
    text: texts[index]!,
    class: TOKEN_CLASSES[classes[index]!]!,
    weight: weights[index]!,
    special: tokenizer.specialIds.has(id),
    cut: index >= from && index < to,
  }));
}

function totalsOf(tokens: readonly PreviewToken[]): ClassTotal[] {
  const left = tokens.filter(({ cut }) => !cut);
  return TOKEN_CLASSES.map((name) => {
    const ofClass = left.filter((token) => token.class === name);
    const predicted = ofClass.filter((token) => token !== left[0]);
    return {
      class: name,
      tokens: ofClass.length,
      trained: predicted.filter(({ weight }) => weight > 0).length,
      weight: predicted.reduce((sum, { weight }) => sum + weight, 0),
    };
  }).filter(({ tokens: count }) => count > 0);
}

/**
 * The text of each token. Byte-level vocabularies split characters over tokens: the first of them gets the whole
 * character, the others the empty text.
 */
export function tokenTexts(ids: ArrayLike<number>, tokenizer: Tokenizer): string[] {
  const texts: string[] = [];
  for (let i = 0; i < ids.length; ) {
    let bytes = tokenizer.bytesOf(ids[i]!);
    let count = 1;
    // Four bytes make a character at the most, so four tokens complete one.
    while (!isWhole(bytes) && count < 4 && i + count < ids.length) {
      const next = Uint8Array.from([...bytes, ...tokenizer.bytesOf(ids[i + count]!)]);
      bytes = next;
      count++;
    }
    if (!isWhole(bytes)) {
      count = 1;
      bytes = tokenizer.bytesOf(ids[i]!);
    }
    texts.push(new TextDecoder().decode(bytes), ...new Array<string>(count - 1).fill(""));
    i += count;
  }
  return texts;
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function isWhole(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
