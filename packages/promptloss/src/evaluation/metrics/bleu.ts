// Corpus BLEU (Papineni et al., 2002) as sacrebleu computes it by default: n-grams up to 4, 13a tokens, exponential
// smoothing of counts that are 0, the brevity penalty of the closest reference length.
import { stripEnd } from "../python-text.ts";
import { tokenize13a } from "./tokenize-13a.ts";

const ORDERS = [1, 2, 3, 4] as const;

export interface Bleu {
  /** 0 to 100. */
  readonly score: number;
  /** Of each order, in percent. */
  readonly precisions: readonly number[];
  /** Of each order the hypotheses' n-grams, and those of them that a reference has. */
  readonly total: readonly number[];
  readonly correct: readonly number[];
  readonly brevityPenalty: number;
  /** Tokens of the hypotheses, and of the closest references. */
  readonly length: number;
  readonly referenceLength: number;
}

export interface BleuOptions {
  readonly tokenize?: (line: string) => string[];
  /** Leave out orders longer than any hypothesis, for single sentences. */
  readonly effectiveOrder?: boolean;
}

type Counts = Map<string, number>;

function nGrams(tokens: readonly string[], order: number): Counts {
  const counts: Counts = new Map();
  for (let i = 0; i + order <= tokens.length; i++) {
    const gram = tokens.slice(i, i + order).join(" ");
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** @param references of each hypothesis, one or more */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  { tokenize = tokenize13a, effectiveOrder = false }: BleuOptions = {},
): Bleu {
  const sums = new Array<number>(2 * ORDERS.length + 2).fill(0);
  hypotheses.forEach((hypothesis, i) => {
    bleuStatistics(hypothesis, references[i]!, tokenize).forEach((value, at) => {
      sums[at]! += value;
    });
  });
  return bleuOf(sums, { effectiveOrder });
}

/** Of one hypothesis: correct n-grams and n-grams of each order, its length and the closest reference's. */
export function bleuStatistics(
  hypothesis: string,
  references: readonly string[],
  tokenize: (line: string) => string[] = tokenize13a,
): number[] {
  const tokens = tokenize(stripEnd(hypothesis));
  const wanted = references.map((reference) => tokenize(stripEnd(reference)));
  const correct = ORDERS.map(() => 0);
  const total = ORDERS.map(() => 0);
  for (const [at, order] of ORDERS.entries()) {
    const most = mostCounts(wanted, order);
    for (const [gram, count] of nGrams(tokens, order)) {
      total[at]! += count;
      correct[at]! += Math.min(count, most.get(gram) ?? 0);
    }
  }
  return [...correct, ...total, tokens.length, closestLength(tokens.length, wanted)];
}

/** @param sums of the statistics of a corpus' hypotheses */
export function bleuOf(
  sums: readonly number[],
  { effectiveOrder = false }: Pick<BleuOptions, "effectiveOrder"> = {},
): Bleu {
  const correct = sums.slice(0, ORDERS.length);
  const total = sums.slice(ORDERS.length, 2 * ORDERS.length);
  const [length, referenceLength] = sums.slice(2 * ORDERS.length) as [number, number];
  const score = scoreOf(correct, total, length, referenceLength, effectiveOrder);
  return { ...score, total, correct, length, referenceLength };
}

/** Of each n-gram the most that one reference has. */
function mostCounts(references: readonly string[][], order: number): Counts {
  const most: Counts = new Map();
  for (const reference of references)
    for (const [gram, count] of nGrams(reference, order))
      most.set(gram, Math.max(count, most.get(gram) ?? 0));
  return most;
}

/** The reference length closest to the hypothesis's; of two the shorter. */
function closestLength(length: number, references: readonly string[][]): number {
  return references
    .map((reference) => reference.length)
    .reduce((best, each) => {
      const [a, b] = [Math.abs(best - length), Math.abs(each - length)];
      return b < a || (b === a && each < best) ? each : best;
    });
}

function scoreOf(
  correct: readonly number[],
  total: readonly number[],
  length: number,
  referenceLength: number,
  effectiveOrder: boolean,
): Pick<Bleu, "score" | "precisions" | "brevityPenalty"> {
  const brevityPenalty =
    length === 0 ? 0 : length < referenceLength ? Math.exp(1 - referenceLength / length) : 1;
  const precisions = ORDERS.map(() => 0);
  if (!correct.some((count) => count > 0)) return { score: 0, precisions, brevityPenalty };
  let smoothing = 1;
  let orders: number = ORDERS.length;
  for (let at = 0; at < ORDERS.length; at++) {
    if (total[at] === 0) break;
    if (effectiveOrder) orders = at + 1;
    if (correct[at] === 0) {
      smoothing *= 2;
      precisions[at] = 100 / (smoothing * total[at]!);
    } else precisions[at] = (100 * correct[at]!) / total[at]!;
  }
  const logs = precisions.slice(0, orders).map((precision) => Math.log(precision));
  const score = brevityPenalty * Math.exp(logs.reduce((a, b) => a + b, 0) / orders);
  return { score, precisions, brevityPenalty };
}
