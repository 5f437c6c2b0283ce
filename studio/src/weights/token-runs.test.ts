import fc from "fast-check";
import { expect, test } from "vitest";
import { TOKEN_CLASSES } from "../../../packages/promptloss/src/data/example.ts";
import { CLASS_WORDS, runsOf, shownText } from "./token-runs.ts";

const rows = fc.integer({ min: 0, max: 20 }).chain((length) => {
  const list = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: length, maxLength: length });
  return fc.record({
    row: fc.constant(1),
    ids: list(fc.nat(9)),
    classes: list(fc.nat(2)),
    texts: list(fc.string()),
    special: fc.constant([]),
    partWeights: list(fc.option(fc.constantFrom(0, 1))),
    scales: list(fc.constantFrom(0.5, 1)),
    rowWeight: fc.constant(1),
  });
});

test("runs cover a row; tokens of one have one class and one weight of the data, those beside it another", () => {
  fc.assert(
    fc.property(rows, (row) => {
      const runs = runsOf(row);
      const kindOf = (i: number): string => [row.classes[i], row.partWeights[i], row.scales[i]].join();
      expect(runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i))).toEqual([
        ...row.ids.keys(),
      ]);
      for (const [r, { name, from, to }] of runs.entries()) {
        expect(name).toBe(TOKEN_CLASSES[row.classes[from]!]);
        for (let i = from; i < to; i++) expect(kindOf(i)).toBe(kindOf(from));
        if (r > 0) expect(kindOf(from)).not.toBe(kindOf(from - 1));
      }
    }),
  );
});

test("what has no shape is shown, and a line break is made too", () => {
  expect(shownText("a\n\tb\u200b")).toBe("a⏎\n⇥b<U+200B>");
  expect(Object.keys(CLASS_WORDS)).toEqual([...TOKEN_CLASSES]);
});
