// chrF (Popović, 2015) and chrF++ as sacrebleu computes them: n-grams of 1 to 6 characters without white space, for
// chrF++ of 1 and 2 words too, β 2, orders that either side lacks left out. Of several references the best counts.

import { PUNCTUATION, splitWords, stripEnd, withoutSpaces } from "../python-text.ts";
import { sumStatistics } from "./sum-statistics.ts";

const CHARACTERS = 6;
const BETA = 2;

export interface ChrfOptions {
  /** 0 for chrF, 2 for chrF++. */
  readonly wordOrder?: number;
}

/** Punctuation of ASCII stands apart from a word where it begins or ends it. */
function separated(line: string): string[] {
  return splitWords(line).flatMap((word) => {
    const letters = [...word];
    if (letters.length === 1) return [word];
    if (PUNCTUATION.has(letters.at(-1)!)) return [letters.slice(0, -1).join(""), letters.at(-1)!];
    if (PUNCTUATION.has(letters[0]!)) return [letters[0]!, letters.slice(1).join("")];
    return [word];
  });
}

type Counts = Map<string, number>;

function countGrams(units: readonly string[], order: number, between: string): Counts {
  const counts: Counts = new Map();
  for (let i = 0; i + order <= units.length; i++) {
    const gram = units.slice(i, i + order).join(between);
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function allGrams(line: string, wordOrder: number): Counts[] {
  const characters = [...withoutSpaces(line)];
  const words = separated(line);
  return [
    ...Array.from({ length: CHARACTERS }, (_, i) => countGrams(characters, i + 1, "")),
    ...Array.from({ length: wordOrder }, (_, i) => countGrams(words, i + 1, " ")),
  ];
}

function sum(counts: Counts): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** Of each order n-grams of the hypothesis, of the reference and common ones. */
export function chrfStatistics(
  hypothesis: string,
  references: readonly string[],
  { wordOrder = 0 }: ChrfOptions = {},
): number[] {
  const given = allGrams(stripEnd(hypothesis), wordOrder);
  const all = references.map((reference) =>
    allGrams(stripEnd(reference), wordOrder).flatMap((wanted, order) => {
      let common = 0;
      for (const [gram, count] of given[order]!) common += Math.min(count, wanted.get(gram) ?? 0);
      // Without n-grams in the reference the hypothesis' own do not count.
      const total = sum(wanted);
      return [total > 0 ? sum(given[order]!) : 0, total, common];
    }),
  );
  return all.reduce((best, each) => (chrfOf(each) > chrfOf(best) ? each : best));
}

/** 0 to 100: the F-score of precision and recall, each averaged over orders. @param sums of a corpus' statistics */
export function chrfOf(sums: readonly number[]): number {
  const factor = BETA ** 2;
  let [precision, recall, orders] = [0, 0, 0];
  for (let at = 0; at < sums.length; at += 3) {
    const [given, wanted, common] = sums.slice(at, at + 3) as [number, number, number];
    if (given === 0 || wanted === 0) continue;
    orders++;
    precision += common / given;
    recall += common / wanted;
  }
  if (precision + recall === 0) return 0;
  return (100 * (1 + factor) * precision * recall) / (orders * (factor * precision + recall));
}

/** chrF of a corpus, 0 to 100; chrF++ with `wordOrder` 2. @param references of each hypothesis, one or more */
export function corpusChrf(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  options: ChrfOptions = {},
): number {
  return chrfOf(sumStatistics(hypotheses.map((each, i) => chrfStatistics(each, references[i]!, options))));
}
