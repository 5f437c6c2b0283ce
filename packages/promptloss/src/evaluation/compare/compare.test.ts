// Where a comparison's two tests disagree, it says why.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonl, temporaryFolder } from "../../../test/row-files.ts";
import { compareEvaluations } from "./compare.ts";

function evaluation(values: readonly number[]): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "records"));
  writeFileSync(
    join(folder, "scores.jsonl"),
    jsonl({ task: "t", metric: "f1", value: 0, higherIsBetter: true }),
  );
  writeFileSync(
    join(folder, "records", "t.jsonl"),
    jsonl(...values.map((f1, item) => ({ item, metrics: { f1 } }))),
  );
  return folder;
}

function noteOf(a: readonly number[], b: readonly number[]): string | undefined {
  return compareEvaluations(evaluation(a), evaluation(b))[0]!.note;
}

const zeros = new Array<number>(40).fill(0.5);

test("a score that moves by a few large differences, and many small ones that move none", () => {
  // 22 items rise by 0.4, 18 fall by 0.01: the mean rises, the signs are nearly even.
  expect(
    noteOf(
      zeros,
      zeros.map((value, i) => value + (i < 22 ? 0.4 : -0.01)),
    ),
  ).toBe(
    "the score moves, and not for more items than chance: a is higher for 18 items, b for 22, so that a few large differences make it",
  );
  // 36 items fall by 0.001, 4 rise by 0.3 or fall: the signs are clear, the mean is not.
  expect(
    noteOf(
      zeros,
      zeros.map((value, i) => value + (i < 36 ? -0.001 : i < 38 ? 0.4 : -0.3)),
    ),
  ).toBe(
    "more items differ one way than chance, and the score does not move with them: a is higher for 38 items, b for 2, by little",
  );
});

test("a record without a number is refused, rather than taken for 0", () => {
  // JSON writes NaN as null.
  expect(() => noteOf([0.5, 0.5], [0.5, Number.NaN])).toThrow("t, item 1: its record has no number for f1");
});

test("nothing where both say the same", () => {
  expect(
    noteOf(
      zeros,
      zeros.map((value) => value + 0.1),
    ),
  ).toBeUndefined();
  expect(noteOf(zeros, zeros)).toBeUndefined();
});
