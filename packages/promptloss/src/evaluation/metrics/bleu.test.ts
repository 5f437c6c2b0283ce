// BLEU against sacrebleu: test/python/metric_goldens.py.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { corpusBleu } from "./bleu.ts";

const goldens = JSON.parse(
  readFileSync(new URL("../../../test/goldens/metrics.json", import.meta.url), "utf8"),
) as {
  pairs: { hypothesis: string; references: string[] }[];
  corpusBleu: number;
  sentenceBleu: number[];
  singleBleu: number[];
};
const hypotheses = goldens.pairs.map(({ hypothesis }) => hypothesis);
const references = goldens.pairs.map((pair) => pair.references);

test("of a corpus", () => {
  expect(corpusBleu(hypotheses, references).score).toBeCloseTo(goldens.corpusBleu, 8);
});

test.each(goldens.pairs.map((pair, i) => [pair.hypothesis, i] as const))("of %j alone", (hypothesis, i) => {
  const sentence = corpusBleu([hypothesis], [references[i]!], { effectiveOrder: true });
  expect(sentence.score).toBeCloseTo(goldens.sentenceBleu[i]!, 8);
  expect(corpusBleu([hypothesis], [references[i]!]).score).toBeCloseTo(goldens.singleBleu[i]!, 8);
});
