import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wpOfPlw } from "../effect/plw.ts";
import { randomSource } from "../random.ts";
import { normalTwoSided } from "../special.ts";
import { analyzeWeights, pairedDifferences } from "./analysis.ts";
import { interaction } from "./interaction.ts";
import type { WeightRow } from "./score-table.ts";

const PLWS = [0, 0.01, 0.1, 0.3, 1];

/** Noise around a slope; the sampling error by task, cell and draw. */
function rows(
  seed: number,
  tasks: number,
  errorOf: (random: ReturnType<typeof randomSource>, t: number) => number | undefined,
): WeightRow[] {
  const random = randomSource(seed);
  return [0, 1, 2].flatMap((block) =>
    PLWS.flatMap((plw) =>
      Array.from({ length: tasks }, (_, t) => ({
        cell: `${plw}-${block}`,
        ...{ plw, wp: wpOfPlw(plw), block: `seed ${block}`, task: `task ${t}` },
        score: 0.5 + 0.1 * wpOfPlw(plw) + 0.05 * random.normal(),
        samplingError: errorOf(random, t),
      })),
    ),
  );
}

function times(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
}

describe("of one task", () => {
  test("noise is what explicit matrices say: least squares under variances σ² + s², σ² from what weights' means leave", () => {
    const data = rows(3, 1, (random) => 0.01 + 0.02 * Math.abs(random.normal()));
    const analysis = analyzeWeights(data, 0.95);
    const { projection, noise, table, relation } = analysis;
    const cells = table.cells;
    const n = cells.length;
    const { deviation } = table.scales[0]!;
    const known = cells.map(
      ({ id }) => (data.find(({ cell }) => cell === id)!.samplingError! / deviation) ** 2,
    );
    // The projector on what block levels and weights' means leave, from the columns by brute force.
    const columns = [
      ...[0, 1, 2].map((b) => cells.map(({ block }) => (block === b ? 1 : 0))),
      ...PLWS.slice(1).map((w) => cells.map(({ plw }) => (plw === w ? 1 : 0))),
    ];
    const basis: number[][] = [];
    for (const column of columns) {
      let rest: number[] = column;
      for (const q of [...basis, ...basis]) {
        const share = q.reduce((sum, x, i) => sum + x * rest[i]!, 0);
        rest = rest.map((x, i) => x - share * q[i]!);
      }
      const length = Math.sqrt(rest.reduce((sum, x) => sum + x * x, 0));
      basis.push(rest.map((x) => x / length));
    }
    const m = cells.map((_, i) =>
      cells.map((_, j) => (i === j ? 1 : 0) - basis.reduce((sum, q) => sum + q[i]! * q[j]!, 0)),
    );
    const df = n - basis.length;
    const y = [...table.scores[0]!].map((x) => [x]);
    const sum = times(m, y).reduce((all, [x]) => all + x! ** 2, 0);
    const expected = known.reduce((all, x, i) => all + x * m[i]![i]!, 0);
    const beside = Math.max(0, (sum - expected) / df);
    expect(beside).toBeGreaterThan(0);
    const v = known.map((x) => beside + x);
    const mv = m.map((row) => row.map((x, j) => x * v[j]!));
    const trace = times(mv, mv).reduce((all, row, i) => all + row[i]!, 0);
    // The trend: least squares on blocks and w_p.
    const within = cells.map(({ wp, block }) => {
      const own = cells.filter((cell) => cell.block === block);
      return wp - own.reduce((all, cell) => all + cell.wp, 0) / own.length;
    });
    const length = Math.sqrt(within.reduce((all, x) => all + x * x, 0));
    const variance = within.reduce((all, x, i) => all + (x / length) ** 2 * v[i]!, 0);
    expect(relation.trend.standardError).toBeCloseTo(Math.sqrt(variance), 10);
    expect(relation.trend.df).toBeCloseTo((variance ** 2 * df ** 2) / trace, 8);
    expect(relation.trend.estimate).toBeCloseTo(
      within.reduce((all, x, i) => all + (x / length) * y[i]![0]!, 0),
      10,
    );
    const unit = projection.meanCoordinates.map((_, k) => (k === 0 ? 1 : 0));
    expect(noise.covariance(unit, unit)).toBeCloseTo(variance, 10);
  });

  test("an error that all scores share changes nothing until it is larger than what differs", () => {
    const plain = analyzeWeights(
      rows(4, 1, () => undefined),
      0.95,
    );
    const small = analyzeWeights(
      rows(4, 1, () => 0.001),
      0.95,
    );
    expect(small.relation.trend.standardError).toBeCloseTo(plain.relation.trend.standardError, 10);
    expect(small.relation.trend.df).toBeCloseTo(plain.relation.trend.df, 8);
    expect(small.lackOfFit!.p).toBeCloseTo(plain.lackOfFit!.p, 10);
    const large = analyzeWeights(
      rows(4, 1, () => 0.2),
      0.95,
    );
    const { deviation } = large.table.scales[0]!;
    expect(large.relation.trend.standardError).toBeCloseTo(0.2 / deviation, 10);
    // Nothing is left to estimate.
    expect(large.relation.trend.df).toBe(Number.POSITIVE_INFINITY);
    const differences = pairedDifferences(large, [[4, 0]], 0.95);
    expect(differences[0]!.p).toBeCloseTo(
      normalTwoSided(differences[0]!.difference / differences[0]!.standardError),
      1,
    );
    expect(large.relation.p).toBeGreaterThan(plain.relation.p);
    expect(large.lackOfFit!.p).toBeGreaterThan(plain.lackOfFit!.p);
  });
});

test("with several tasks no contrast is surer than its known part, whatever the statement is about", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 0.2, noNaN: true }),
      (seed, error) => {
        for (const about of ["tasks in general", "these tasks"] as const) {
          const of = (own: number | undefined) =>
            analyzeWeights(
              rows(seed, 5, () => own),
              0.95,
              about,
            );
          const [known, plain] = [of(error), of(undefined)];
          const scales = known.table.scales.map(({ deviation }) => (error / deviation) ** 2);
          const least = scales.reduce((sum, x) => sum + x, 0) / scales.length / scales.length;
          const { trend, curvature } = known.relation;
          for (const [term, before] of [
            [trend, plain.relation.trend],
            [curvature!, plain.relation.curvature!],
          ] as const) {
            expect(term.standardError ** 2).toBeGreaterThan(least * (1 - 1e-9));
            expect(term.standardError).toBeGreaterThan(before.standardError * (1 - 1e-9));
            expect(term.df).toBeGreaterThan(1);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("tasks without errors beside tasks with them have theirs estimated whole, and none known is as before", () => {
  const none = analyzeWeights(
    rows(6, 5, () => undefined),
    0.95,
  );
  const zero = analyzeWeights(
    rows(6, 5, () => 0),
    0.95,
  );
  expect(zero.relation.trend.standardError).toBeCloseTo(none.relation.trend.standardError, 12);
  const some = analyzeWeights(
    rows(6, 5, (_, t) => (t === 0 ? 0.5 : undefined)),
    0.95,
  );
  expect(some.relation.trend.standardError).toBeGreaterThan(none.relation.trend.standardError);
});

test("levels of another factor are told apart by no less noise than is known", () => {
  const data = (error: number | undefined) =>
    rows(8, 1, () => error).map((row) => ({ ...row, level: row.block === "seed 0" ? "low" : "high" }));
  const [plain, small, large] = [undefined, 0.001, 0.5].map((error) => interaction(data(error)));
  expect(small!.f).toBeCloseTo(plain!.f, 10);
  expect(large!.f).toBeLessThan(plain!.f / 4);
});
