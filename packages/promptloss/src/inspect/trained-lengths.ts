// What training would see: rows rendered and tokenized whole, on a random sample of the data. The sample keeps
// inspection near the cost of encoding the parts alone.
import { type Example, TOKEN_CLASSES, type TokenClass } from "../data/example.ts";
import type { Template, TrainedTurns } from "../data/templates/index.ts";
import { PART_OF_CODE, partOfClass, type TokenPart } from "../data/token-parts.ts";
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
  /** Tokens of each trained turn by its number in its row, with what stands before it. */
  readonly turns: readonly TurnTokens[];
}

/** What a trained turn says to the user, or that it calls tools. */
export type TurnKind = "answer" | "tool-call";

export interface CompletionEnd {
  readonly kind: TurnKind;
  /** Undefined where no stop token ends the completion. */
  readonly token: string | undefined;
  /** Completions that end in it. */
  readonly completions: number;
  /** Those of them in which it has a weight of 0. */
  readonly untrained: number;
}

export interface TurnTokens {
  /** Rows that have so many trained turns. */
  readonly rows: number;
  readonly tokens: Readonly<Record<TokenClass, number>>;
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
  /** The weight of each class, by code: a stop token of weight 0 is not trained. All 1 where left out. */
  readonly classWeights?: readonly number[] | undefined;
}

export async function trainedLengths(
  sample: readonly Example[],
  { tokenizer, template, turns, classWeights }: Training,
): Promise<TrainedLengths> {
  const encoder = new ExampleTokenizer(tokenizer, template, { turns, onBadRow: "skip" });
  const tokens = countClasses(new Uint8Array(0));
  const lengths: number[] = [];
  const ends = new Map<string, Counted>();
  const byTurn: { rows: number; tokens: Record<TokenClass, number> }[] = [];
  const isStopTrained = classWeights?.[CLASS_CODE.end] !== 0;
  for await (const row of encoder.rows(sample)) {
    countEnds(row, ends, isStopTrained);
    countTurns(row, byTurn);
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
    ends: [...ends.values()]
      .map(({ id, ...counts }) => ({
        ...counts,
        token: id === undefined ? undefined : (tokenizer.tokenOf(id) ?? String(id)),
      }))
      .sort((a, b) => b.completions - a.completions),
    turns: byTurn,
  };
}

interface Counted extends Omit<CompletionEnd, "token"> {
  readonly id: number | undefined;
}

/** The trained turns of a row: stretches that the model writes, as from and up to. */
function* writtenStretches(classes: Uint8Array): Generator<[from: number, to: number]> {
  for (let from = 0; from < classes.length; from++) {
    if (PART_OF_CODE[classes[from]!] === "prompt") continue;
    let to = from;
    while (to < classes.length && PART_OF_CODE[classes[to]!] !== "prompt") to++;
    yield [from, to];
    from = to;
  }
}

function countEnds(
  { ids, classes, partWeights, scales, rowWeight }: ClassifiedTokens,
  ends: Map<string, Counted>,
  isStopTrained: boolean,
): void {
  for (const [from, to] of writtenStretches(classes)) {
    const last = to - 1;
    const kind = classes.subarray(from, to).includes(CLASS_CODE["tool-call"]) ? "tool-call" : "answer";
    const id = classes[last] === CLASS_CODE.end ? ids[last]! : undefined;
    const key = `${kind} ${id}`;
    const { completions, untrained } = ends.get(key) ?? { completions: 0, untrained: 0 };
    const own = partWeights?.[last] ?? Number.NaN;
    const weighsNothing = Number.isNaN(own) ? !isStopTrained || scales?.[last] === 0 : own === 0;
    const isUntrained = id === undefined || rowWeight === 0 || weighsNothing;
    ends.set(key, {
      ...{ kind, id, completions: completions + 1 },
      untrained: untrained + (isUntrained ? 1 : 0),
    });
  }
}

/** Turns that are told apart; what is later counts with the last of them. */
const TURNS = 8;

function countTurns(
  { classes }: ClassifiedTokens,
  turns: { rows: number; tokens: Record<TokenClass, number> }[],
): void {
  let start = 0;
  let index = 0;
  for (const [, to] of writtenStretches(classes)) {
    const place = Math.min(index++, TURNS - 1);
    turns[place] ??= { rows: 0, tokens: countClasses(new Uint8Array(0)) };
    const turn = turns[place]!;
    if (index <= TURNS) turn.rows++;
    const counts = countClasses(classes.subarray(start, to));
    for (const name of TOKEN_CLASSES) turn.tokens[name] += counts[name];
    start = to;
  }
}
