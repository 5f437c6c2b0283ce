import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { alpaca } from "../../../test/examples.ts";
import { sharedPath } from "../../../test/shared.ts";
import { rowOfLength, tokenizeAll } from "../../../test/tokens.ts";
import { loadTokenizer } from "../tokenizer/index.ts";
import { WeightedRows, WeightedTokens } from "../tokens/index.ts";
import { checkPlan, IGNORE_INDEX, PackedTokens, planPacks } from "./index.ts";

/** Best-fit decreasing by looking at every pack: the slow way. Returns the rooms left, sorted. */
function slowRooms(lengths: readonly number[], budget: number): number[] {
  const rooms: number[] = [];
  for (const length of [...lengths].sort((a, b) => b - a)) {
    const fitting = rooms.filter((room) => room >= length);
    const best = fitting.length === 0 ? rooms.push(budget) - 1 : rooms.indexOf(Math.min(...fitting));
    rooms[best]! -= length;
  }
  return rooms.sort((a, b) => a - b);
}

function total(rows: Int32Array, lengths: readonly number[]): number {
  return rows.reduce((sum, row) => sum + lengths[row]!, 0);
}

const anyLengths = fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 120 });

describe("planPacks", () => {
  test("loses nothing, duplicates nothing, keeps to the budget, and packs as the slow way does", () => {
    fc.assert(
      fc.property(anyLengths, fc.integer({ min: 64, max: 100 }), fc.integer(), (lengths, budget, seed) => {
        const { packs, padding } = planPacks(lengths, { budget, seed });
        expect(packs.flatMap((pack) => [...pack]).sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        checkPlan(packs, lengths.length);
        const rooms = packs.map((pack) => budget - total(pack, lengths));
        expect(rooms.every((room) => room >= 0)).toBe(true);
        expect(rooms.sort((a, b) => a - b)).toEqual(slowRooms(lengths, budget));
        const empty = rooms.reduce((sum, room) => sum + room, 0);
        expect(padding).toBeCloseTo(packs.length === 0 ? 0 : empty / (packs.length * budget), 12);
      }),
    );
  });

  test("one seed, one plan; another seed, another", () => {
    const lengths = Array.from({ length: 200 }, (_, i) => 1 + (i % 20));
    const plan = (seed: number): number[][] =>
      planPacks(lengths, { budget: 50, seed }).packs.map((pack) => [...pack]);
    expect(plan(3)).toEqual(plan(3));
    expect(plan(3)).not.toEqual(plan(4));
    expect(
      planPacks([3, 5, 2, 4, 1, 5, 2], { budget: 8, seed: 1 }).packs.map((pack) => [...pack]),
    ).toMatchInlineSnapshot(`
      [
        [
          5,
          2,
          4,
        ],
        [
          3,
          6,
        ],
        [
          1,
          0,
        ],
      ]
    `);
  });

  test("refuses what cannot be", () => {
    expect(() => planPacks([3, 9], { budget: 8, seed: 0 })).toThrow(
      "budget: row 1 has 9 tokens, more than the 8 there is room for",
    );
    expect(() => planPacks([0], { budget: 8, seed: 0 })).toThrow("row 0 has length 0");
    expect(() => planPacks([1], { budget: 0, seed: 0 })).toThrow("budget: 0 is not a whole number");
    expect(() => planPacks([1], { budget: 8, seed: 0.5 })).toThrow("seed: 0.5");
    expect(() => checkPlan([Int32Array.of(0, 0)], 2)).toThrow("row 0 is foreign or twice");
    expect(() => checkPlan([Int32Array.of(1)], 2)).toThrow("row 0 is in no pack");
  });
});

function rowsOf(lengths: readonly number[]): WeightedTokens[] {
  let id = 0;
  return lengths.map((length, index) => {
    const row = rowOfLength(length, id, index + 1);
    id += length;
    return WeightedTokens.of({ ...row, weights: Float32Array.from(row.ids, (tokenId) => tokenId / 4) });
  });
}

describe("PackedTokens", () => {
  test("gives back the rows that went in; a position predicts the next token of its own row only", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }), (lengths) => {
        const rows = rowsOf(lengths);
        const whole = PackedTokens.of(rows);
        expect(Object.isFrozen(whole)).toBe(true);
        for (const [i, row] of rows.entries()) expect(whole.row(i)).toEqual(row);
        const { targets, weights } = whole.shifted();
        const predicted = [...targets].flatMap((target, i) =>
          target === IGNORE_INDEX ? [] : [[target, weights[i]]],
        );
        expect(predicted).toEqual(rows.flatMap((row) => [...row.ids].slice(1).map((id) => [id, id / 4])));
        const silent = [...weights].filter((_weight, i) => targets[i] === IGNORE_INDEX);
        expect(silent.every((weight) => weight === 0)).toBe(true);
      }),
    );
  });

  test("a pack's positions begin anew at each row", () => {
    const pack = PackedTokens.of(rowsOf([2, 3]));
    expect([...pack.positions]).toEqual([0, 1, 0, 1, 2]);
    expect([...pack.starts]).toEqual([0, 2, 5]);
    expect(pack.sources.map(({ row }) => row)).toEqual([1, 2]);
  });
});

describe("AlpacaData", () => {
  const data = sharedPath("data", "instructions", "alpaca_data.json");
  const folder = sharedPath("models", "stories15M");
  needs("shared", data && folder).test("packs into 2048 tokens with under 2 % padding", async () => {
    const raw = JSON.parse(await readFile(data!, "utf8")) as Record<
      "instruction" | "input" | "output",
      string
    >[];
    // Every tenth row: enough for the distribution of lengths.
    const examples = raw
      .filter((row, i) => i % 10 === 0 && row.output !== "")
      .map((row, i) => alpaca(row.instruction, row.input, row.output, i + 1));
    const { rows } = await tokenizeAll(await loadTokenizer(folder!), "alpaca", examples);
    const overflow = { maxLength: 2048, policy: "truncate-completion" } as const;
    const weighted = new WeightedRows(rows, { weights: { promptLossWeight: 0.1 }, overflow });
    const plan = planPacks(weighted.lengths, { budget: 2048, seed: 1 });
    expect(plan.padding).toBeLessThan(0.02);
    checkPlan(plan.packs, weighted.length);
  });
});
