// The metrics of answers by name: of one answer each, averaged; or of a corpus, from statistics that are summed.
import { bleuOf, bleuStatistics } from "./bleu.ts";
import { chrfOf, chrfStatistics } from "./chrf.ts";
import { exactMatch, wordF1 } from "./match.ts";
import { rougeL, rougeLsum, rougeN } from "./rouge.ts";

export { sumStatistics } from "./sum-statistics.ts";

import { terOf, terStatistics } from "./ter.ts";

/** Averaged over items; of several references the best counts. */
export interface MeanMetric {
  readonly kind: "mean";
  readonly of: (answer: string, reference: string) => number;
  readonly higherIsBetter: boolean;
}

/** Of all items together. */
export interface CorpusMetric {
  readonly kind: "corpus";
  readonly statistics: (answer: string, references: readonly string[]) => number[];
  readonly of: (sums: readonly number[]) => number;
  readonly higherIsBetter: boolean;
}

export type TextMetric = MeanMetric | CorpusMetric;

function average(of: MeanMetric["of"]): MeanMetric {
  return { kind: "mean", of, higherIsBetter: true };
}

function corpus(
  statistics: CorpusMetric["statistics"],
  of: CorpusMetric["of"],
  higherIsBetter = true,
): CorpusMetric {
  return { kind: "corpus", statistics, of, higherIsBetter };
}

export const textMetrics: Readonly<Record<string, TextMetric>> = {
  bleu: corpus(
    (answer, references) => bleuStatistics(answer, references),
    (sums) => bleuOf(sums).score,
  ),
  chrf: corpus((answer, references) => chrfStatistics(answer, references), chrfOf),
  "chrf++": corpus((answer, references) => chrfStatistics(answer, references, { wordOrder: 2 }), chrfOf),
  ter: corpus(terStatistics, terOf, false),
  rouge1: average((answer, reference) => rougeN(1, answer, reference)),
  rouge2: average((answer, reference) => rougeN(2, answer, reference)),
  rougeL: average(rougeL),
  rougeLsum: average(rougeLsum),
  exact_match: average(exactMatch),
  f1: average(wordF1),
};
