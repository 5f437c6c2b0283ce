import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TOKEN_CLASSES, type TokenClass } from "../data/example.ts";
import type { RowSet } from "../data/row-subset.ts";
import { WeightedTokens } from "../data/tokens/index.ts";
import { heldOutNote, holdOut } from "./hold-out.ts";
import { countShared, groupKeys, groupRows } from "./row-groups.ts";

interface Spec {
  readonly instruction?: number;
  readonly input?: number;
  readonly completion?: number;
  readonly group?: string;
}

/** A row with one token a part, so that parts are equal where their numbers are. */
function rowOf({ instruction, input, completion = 9, group }: Spec, row: number): WeightedTokens {
  const tokens: [TokenClass, number][] = [["template", 1]];
  if (instruction !== undefined) tokens.push(["instruction", instruction]);
  if (input !== undefined) tokens.push(["input", input]);
  tokens.push(["completion", completion], ["end", 2]);
  return WeightedTokens.of({
    ids: Int32Array.from(tokens, ([, id]) => id),
    classes: Uint8Array.from(tokens, ([name]) => TOKEN_CLASSES.indexOf(name)),
    weights: new Float32Array(tokens.length).fill(1),
    source: { file: "rows.jsonl", row: row + 1, ...(group !== undefined && { group }) },
  });
}

function setOf(specs: readonly Spec[]): RowSet {
  const rows = specs.map(rowOf);
  return { length: rows.length, lengths: Int32Array.from(rows, ({ length }) => length), at: (i) => rows[i]! };
}

function rowsOf(set: RowSet): number[] {
  return Array.from({ length: set.length }, (_, index) => set.at(index).source.row - 1);
}

const anySpecs = fc.array(
  fc.record(
    {
      instruction: fc.nat(30),
      input: fc.nat(20),
      completion: fc.nat(50),
      group: fc.constantFrom("a", "b", "c", "d", "e"),
    },
    { requiredKeys: [] },
  ),
  { minLength: 4, maxLength: 40 },
);

test("rows that share a key, directly or through others, are one group, and no others are", () => {
  fc.assert(
    fc.property(anySpecs, (specs) => {
      const set = setOf(specs);
      const groups = groupRows(set);
      expect(groups.flatMap((group) => [...group]).sort((a, b) => a - b)).toEqual([...set.lengths.keys()]);
      // By brute force: who is reached from a row by steps over common keys.
      const keys = Array.from({ length: set.length }, (_, row) => groupKeys(set.at(row)));
      for (const group of groups) {
        const reached = new Set([group[0]!]);
        for (const row of reached)
          for (const [other, others] of keys.entries())
            if (others.some((key) => keys[row]!.includes(key))) reached.add(other);
        expect([...reached].sort((a, b) => a - b)).toEqual([...group]);
      }
    }),
  );
});

test("what rows share: a group, an input, else the whole prompt, else the whole row", () => {
  const shared = (a: Spec, b: Spec): boolean => groupRows(setOf([a, b])).length === 1;
  expect(shared({ instruction: 1, input: 5 }, { instruction: 2, input: 5 })).toBe(true);
  expect(shared({ instruction: 1, input: 5 }, { instruction: 1, input: 6 })).toBe(false);
  expect(shared({ instruction: 1, completion: 7 }, { instruction: 1, completion: 8 })).toBe(true);
  expect(shared({ instruction: 1 }, { instruction: 1, input: 5 })).toBe(false);
  expect(shared({ completion: 7 }, { completion: 8 })).toBe(false);
  expect(shared({ completion: 7 }, { completion: 7 })).toBe(true);
  expect(shared({ instruction: 1, group: "a" }, { instruction: 2, input: 3, group: "a" })).toBe(true);
});

describe("holdOut", () => {
  test("parts rows in two, never more than asked for, with no key in both", () => {
    fc.assert(
      fc.property(anySpecs, fc.nat(99), fc.integer({ min: 1, max: 3 }), (specs, seed, count) => {
        const set = setOf(specs);
        const smallest = Math.min(...groupRows(set).map(({ length }) => length));
        const part = () => holdOut(set, { unit: "group", rows: count }, seed);
        if (smallest > count) {
          expect(part).toThrow(`each group has ${smallest} rows or more, where ${count} may be held out`);
          return;
        }
        const { kept, heldOut, note } = part();
        expect(heldOut.length).toBeGreaterThan(0);
        expect(heldOut.length).toBeLessThanOrEqual(count);
        expect([...rowsOf(kept), ...rowsOf(heldOut)].sort((a, b) => a - b)).toEqual([...set.lengths.keys()]);
        for (const rows of [rowsOf(kept), rowsOf(heldOut)])
          expect(rows).toEqual(rows.toSorted((a, b) => a - b));
        expect(countShared(heldOut, kept)).toBe(0);
        expect(rowsOf(part().heldOut)).toEqual(rowsOf(heldOut));
        expect(note).toContain(`of ${set.length}`);
      }),
    );
  });

  test("says how rows were held out", () => {
    const set = setOf([
      { input: 1 },
      { input: 1 },
      { input: 1 },
      ...Array.from({ length: 9 }, (_, i) => ({ instruction: i })),
    ]);
    expect(holdOut(set, { unit: "group", rows: 2 }, 3).note).toBe(
      "held out: 2 rows of 12, drawn by seed 3: 2 of 10 groups of rows that share an input, a prompt or a group",
    );
    expect(holdOut(set, { unit: "row", fraction: 0.25 }, 3).note).toBe(
      "held out: 3 rows of 12, drawn by seed 3, row by row, whatever rows share",
    );
    const pairs = setOf([{ input: 1 }, { input: 1 }, { input: 2 }, { input: 2 }]);
    expect(holdOut(pairs, { unit: "group", rows: 3 }, 0).note).toContain("2 rows of 4 (3 rows asked for)");
    expect(() => holdOut(pairs, { unit: "group", rows: 4 }, 0)).toThrow("leaves none to train on");
  });

  test("names held-out data, and says where it is like training rows", () => {
    const heldOut = setOf([{ input: 1 }, { input: 2 }]);
    const note = (trained: Spec[]): string =>
      heldOutNote([{ path: "unseen.jsonl" }], heldOut, setOf(trained));
    expect(note([{ input: 3 }])).toBe(
      "held out: 2 rows of evaluation.data (unseen.jsonl); none of them shares an input, a prompt or a group with the training rows",
    );
    expect(note([{ input: 1 }])).toContain(
      "1 of them shares an input, a prompt or a group with training rows",
    );
  });
});
