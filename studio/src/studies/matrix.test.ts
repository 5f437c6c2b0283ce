import fc from "fast-check";
import type { StudyCell } from "promptloss/studio";
import { expect, test } from "vitest";
import { acrossOf, matrixOf, sharesOf } from "./matrix.ts";

function cell(levels: StudyCell["levels"], scores: StudyCell["scores"] = {}): StudyCell {
  return {
    ...{ id: JSON.stringify(levels), levels, status: "done", attempts: 1, run: "r", phase: null },
    ...{ step: null, steps: null, loss: null, failure: null, scores },
  };
}

test("every cell has one place, where its labels say", () => {
  const label = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom("a", "b"));
  const levels = fc.record({ model: label, plw: label, seed: label });
  const studies = fc.uniqueArray(levels, { selector: (each) => JSON.stringify(each), minLength: 1 });
  fc.assert(
    fc.property(studies, fc.constantFrom("model", "plw", "seed", undefined), (all, across) => {
      const cells = all.map((each) => cell(each));
      const matrix = matrixOf(cells, ["model", "plw", "seed"], across);
      expect(matrix.rows.flatMap((row) => row.cells.flat()).sort(byId)).toEqual([...cells].sort(byId));
      for (const { labels, cells: own } of matrix.rows)
        for (const [i, each] of own.entries())
          for (const { levels: found } of each)
            expect([found[matrix.across!], ...matrix.down.map((name) => found[name])]).toEqual([
              matrix.columns[i],
              ...labels,
            ]);
    }),
  );
});

function byId(a: StudyCell, b: StudyCell): number {
  return a.id < b.id ? -1 : 1;
}

test("the weight goes across, else the last factor; numbers go up, names as they come", () => {
  expect([
    acrossOf(["plw", "seed"]),
    acrossOf(["a", "loss.promptLossWeight", "b"]),
    acrossOf(["a", "b"]),
  ]).toEqual([...["plw", "loss.promptLossWeight", "b"]]);
  const cells = [
    cell({ model: "z", plw: 1 }),
    cell({ model: "z", plw: 0.1 }),
    cell({ model: "a", plw: 0.5 }),
  ];
  const { columns, rows } = matrixOf(cells, ["model", "plw"]);
  expect([columns, rows.map(({ labels }) => labels)]).toEqual([
    [0.1, 0.5, 1],
    [["z"], ["a"]],
  ]);
});

test("a study without factors has one cell in one row", () => {
  const { columns, rows } = matrixOf([cell({})], []);
  expect([columns, rows.length, rows[0]!.cells[0]!.length]).toEqual([[], 1, 1]);
});

test("the best score has share 1, whichever way is better; what is no number has none", () => {
  const cells = [1, 3, 2, null].map((value, i) => cell({ i }, { m: value }));
  expect(cells.map(sharesOf(cells, "m", true))).toEqual([0, 1, 0.5, undefined]);
  expect(cells.map(sharesOf(cells, "m", false))).toEqual([1, 0, 0.5, undefined]);
  expect(cells.map(sharesOf(cells, "other", true))).toEqual([undefined, undefined, undefined, undefined]);
});
