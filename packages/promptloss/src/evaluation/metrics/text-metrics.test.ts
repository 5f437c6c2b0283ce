// Metrics of answers against sacrebleu and torchmetrics: test/python/text_metric_goldens.py.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bleuOf, corpusBleu } from "./bleu.ts";
import { wordF1 } from "./match.ts";
import { type CorpusMetric, type MeanMetric, sumStatistics, textMetrics } from "./text-metrics.ts";
import { tokenizeIntl, tokenizeNone } from "./tokenize-intl.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../../test/goldens/text-metrics.json", import.meta.url), "utf8"),
) as {
  pairs: [hypothesis: string, references: string[]][];
  corpus: Record<string, number>;
  single: Record<string, number>[];
};
const { pairs, corpus, single } = golden;
const hypotheses = pairs.map(([hypothesis]) => hypothesis);
const references = pairs.map(([, each]) => each);

test.each(["chrf", "chrf++", "ter", "bleu"])("%s of a corpus, and of each sentence", (name) => {
  const metric = textMetrics[name] as CorpusMetric;
  const statistics = pairs.map(([hypothesis, each]) => metric.statistics(hypothesis, each));
  expect(metric.of(sumStatistics(statistics))).toBeCloseTo(corpus[name]!, 8);
  if (name !== "bleu")
    statistics.forEach((each, i) => {
      expect(metric.of(each), hypotheses[i]).toBeCloseTo(single[i]![name]!, 8);
    });
});

test.each([
  ["bleu-intl", tokenizeIntl],
  ["bleu-none", tokenizeNone],
] as const)("%s", (name, tokenize) => {
  expect(corpusBleu(hypotheses, references, { tokenize }).score).toBeCloseTo(corpus[name]!, 8);
  pairs.forEach(([hypothesis, each], i) => {
    expect(corpusBleu([hypothesis], [each], { tokenize }).score, hypothesis).toBeCloseTo(
      single[i]![name]!,
      8,
    );
  });
});

test.each(["rouge1", "rouge2", "rougeL", "rougeLsum"])("%s", (name) => {
  const metric = textMetrics[name] as MeanMetric;
  pairs.forEach(([hypothesis, each], i) => {
    // torchmetrics computes in float32.
    expect(metric.of(hypothesis, each[0]!), hypothesis).toBeCloseTo(single[i]![name]!, 6);
  });
});

test("the same words are perfect, whatever they are", () => {
  const words = fc.array(fc.constantFrom("a1", "b2", "c3", "d4", "e5"), { minLength: 4, maxLength: 12 });
  fc.assert(
    fc.property(words, (list) => {
      const line = list.join(" ");
      const of = (name: string): number => {
        const metric = textMetrics[name]!;
        return metric.kind === "corpus" ? metric.of(metric.statistics(line, [line])) : metric.of(line, line);
      };
      expect([of("ter"), of("rougeL"), of("exact_match"), of("f1")]).toEqual([0, 1, 1, 1]);
      for (const name of ["bleu", "chrf", "chrf++"]) expect(of(name)).toBeCloseTo(100, 8);
    }),
  );
});

test("nothing at all", () => {
  expect(bleuOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).score).toBe(0);
  expect([wordF1("", ""), wordF1("the", "a cat"), wordF1("The cat.", "a cat")]).toEqual([1, 0, 1]);
});
