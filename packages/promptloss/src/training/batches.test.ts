import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rowOfLength } from "../../test/tokens.ts";
import { BatchPlan, type BatchSettings, epochBatches, microBatches } from "./batches.ts";

const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 });
const settings = fc
  .record({
    limit: fc.oneof(
      fc.record({ batchSize: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ batchTokens: fc.integer({ min: 30, max: 90 }) }),
    ),
    order: fc.constantFrom("random" as const, "length" as const, "as-given" as const),
    seed: fc.integer(),
  })
  .map(({ limit, order, seed }): BatchSettings => ({ ...limit, order, seed }));

describe("BatchPlan", () => {
  test("an epoch holds each row once, within its limit, and is the same for a seed", () => {
    fc.assert(
      fc.property(lengths, settings, fc.nat(5), (list, options, epoch) => {
        const rows = Int32Array.from(list);
        const batches = epochBatches(rows, options, epoch);
        expect(batches.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual(list.map((_, i) => i));
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(options.batchSize ?? list.length);
          const tokens = batch.reduce((sum, row) => sum + list[row]!, 0);
          expect(tokens).toBeLessThanOrEqual(options.batchTokens ?? Number.POSITIVE_INFINITY);
        }
        expect(epochBatches(rows, options, epoch)).toEqual(batches);
      }),
    );
  });

  test("goes on from any step as if it had not stopped", () => {
    fc.assert(
      fc.property(
        lengths,
        settings,
        fc.integer({ min: 1, max: 3 }),
        fc.nat(40),
        (list, options, epochs, at) => {
          const plan = new BatchPlan(Int32Array.from(list), options, { epochs });
          const all = [...plan.from(0)];
          expect(all).toHaveLength(plan.steps);
          expect(all.map(({ step }) => step)).toEqual(all.map((_, i) => i));
          expect([...plan.from(at)]).toEqual(all.slice(at));
          expect(plan.endsEpoch(plan.steps - 1)).toBe(true);
          const lasts = all.filter(({ epoch }, i) => all[i + 1]?.epoch !== epoch).map(({ step }) => step);
          expect(all.filter(({ step }) => plan.endsEpoch(step)).map(({ step }) => step)).toEqual(lasts);
        },
      ),
    );
  });

  test("by steps, passes over the data are repeated, each in another order", () => {
    const plan = new BatchPlan(
      new Int32Array(20).fill(3),
      { batchSize: 8, order: "random", seed: 1 },
      { steps: 7 },
    );
    const all = [...plan.from(0)];
    expect(all.map(({ epoch, rows }) => [epoch, rows.length])).toEqual([
      [0, 8],
      [0, 8],
      [0, 4],
      [1, 8],
      [1, 8],
      [1, 4],
      [2, 8],
    ]);
    expect(all[0]!.rows).not.toEqual(all[3]!.rows);
  });

  test("as given, every epoch takes the rows in the order of the data", () => {
    const plan = new BatchPlan(
      Int32Array.of(3, 1, 2, 5, 4),
      { batchSize: 2, order: "as-given", seed: 7 },
      { epochs: 2 },
    );
    const steps = [...plan.from(0)].map(({ rows }) => [...rows]);
    expect(steps).toEqual([[0, 1], [2, 3], [4], [0, 1], [2, 3], [4]]);
  });

  test("rows of similar length go together when sorted, and their batches come in random order", () => {
    const list = Int32Array.from({ length: 200 }, (_, i) => 1 + ((i * 37) % 100));
    const batches = epochBatches(list, { batchSize: 10, order: "length", seed: 4 }, 0);
    for (const batch of batches) {
      const sizes = [...batch].map((row) => list[row]!);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(6);
    }
    const firsts = batches.map((batch) => list[batch[0]!]!);
    expect(firsts).not.toEqual([...firsts].sort((a, b) => a - b));
  });

  test("refuses what cannot be", () => {
    const plan =
      (options: object, rows = Int32Array.of(3, 4)) =>
      () =>
        new BatchPlan(rows, { order: "random", seed: 0, ...options }, { epochs: 1 });
    expect(plan({})).toThrow("either batchSize or batchTokens");
    expect(plan({ batchSize: 2, batchTokens: 8 })).toThrow("either batchSize or batchTokens");
    expect(plan({ batchSize: 0 })).toThrow("training.batchSize: 0 is not a whole number");
    expect(plan({ batchTokens: 3 })).toThrow("row 1 has 4 tokens");
    expect(plan({ batchSize: 2 }, new Int32Array())).toThrow("no rows to train on");
  });
});

test("micro-batches hold each row once, and a row longer than the budget by itself", () => {
  const rows = [5, 3, 12, 4, 1].map((length, i) => rowOfLength(length, 0, i + 1));
  const numbers = (groups: (typeof rows)[]): number[] => groups.flat().map(({ source }) => source.row);
  const byTokens = microBatches(rows, { tokens: 8 });
  expect(numbers(byTokens).sort()).toEqual([1, 2, 3, 4, 5]);
  expect(byTokens.every((group) => group.reduce((sum, { length }) => sum + length, 0) <= 12)).toBe(true);
  expect(microBatches(rows, { rows: 2 }).map((group) => numbers([group]))).toEqual([[1, 2], [3, 4], [5]]);
});

test("micro-batches of more rows than a call takes arguments", () => {
  const row = rowOfLength(2);
  const rows = Array.from({ length: 200_000 }, () => row);
  const groups = microBatches(rows, { tokens: 200_000 });
  expect(groups.reduce((sum, group) => sum + group.length, 0)).toBe(rows.length);
});
