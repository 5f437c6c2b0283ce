// Every code point against Python: test/python/python_text.py.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { corpusBleu } from "./metrics/bleu.ts";
import { wordF1 } from "./metrics/match.ts";
import { type CorpusMetric, textMetrics } from "./metrics/text-metrics.ts";
import { splitWords, strip, stripEnd, WORD, withoutSpaces } from "./python-text.ts";

type Ranges = readonly (readonly [from: number, to: number])[];

const golden = JSON.parse(
  readFileSync(new URL("../../test/goldens/python-text.json", import.meta.url), "utf8"),
) as {
  readonly space: Ranges;
  readonly word: Ranges;
  /** Code points that Python's version of Unicode does not know yet. */
  readonly unassigned: Ranges;
  readonly lower: Readonly<Record<string, string>>;
  readonly metrics: readonly {
    readonly answer: string;
    readonly reference: string;
    readonly bleu: number;
    readonly chrf: number;
    readonly ter: number;
    readonly f1: number;
  }[];
};

function membersOf(ranges: Ranges): Set<number> {
  return new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)));
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

function wrong(differs: (code: number, text: string) => boolean): string[] {
  const found: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++)
    if (!isSurrogate(code) && differs(code, String.fromCodePoint(code))) found.push(code.toString(16));
  return found;
}

test("white space", () => {
  const spaces = membersOf(golden.space);
  expect(
    wrong((code, text) => {
      const is = spaces.has(code);
      return (
        (splitWords(`a${text}b`).length === 2) !== is ||
        (strip(`${text}a${text}`) === "a") !== is ||
        (stripEnd(`a${text}`) === "a") !== is ||
        (withoutSpaces(`a${text}b`) === "ab") !== is
      );
    }),
  ).toEqual([]);
});

test("letters and lower case, of what both know", () => {
  const words = membersOf(golden.word);
  const unknown = membersOf(golden.unassigned);
  const pattern = new RegExp(`^[${WORD}]$`, "u");
  expect(wrong((code, text) => !unknown.has(code) && pattern.test(text) !== words.has(code))).toEqual([]);
  expect(
    wrong((code, text) => !unknown.has(code) && text.toLowerCase() !== (golden.lower[text] ?? text)),
  ).toEqual([]);
});

test("scores of texts with odd characters, as sacrebleu and SQuAD have them", () => {
  expect(wordF1("María", "Marí")).toBe(0);
  for (const { answer, reference, ...scores } of golden.metrics) {
    const of = (name: string): number => {
      const metric = textMetrics[name] as CorpusMetric;
      return metric.of(metric.statistics(answer, [reference]));
    };
    const name = JSON.stringify([answer, reference]);
    expect(corpusBleu([answer], [[reference]]).score, name).toBeCloseTo(scores.bleu, 8);
    expect(of("chrf"), name).toBeCloseTo(scores.chrf, 8);
    expect(of("ter"), name).toBeCloseTo(scores.ter, 8);
    expect(wordF1(answer, reference), name).toBeCloseTo(scores.f1, 12);
  }
});
