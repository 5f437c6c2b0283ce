import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wpOfPlw } from "../effect/plw.ts";
import { randomSource } from "../random.ts";
import { comparisonDf } from "../rules.ts";
import { studentTwoSided } from "../special.ts";
import { analyzeWeights, type WeightAnalysis } from "./analysis.ts";
import { correctedTests } from "./correction.ts";
import { findingOf, stagesOf } from "./finding.ts";
import type { WeightRow } from "./score-table.ts";
import type { WeightFinding } from "./weight-finding.ts";

const plws = [0, 0.01, 0.05, 0.1, 0.3, 1];

interface Made {
  tasks?: number;
  seeds?: number;
  curve?: (wp: number) => number;
  /** Deviations of tasks' own slopes and of what runs share. */
  slopes?: number;
  run?: number;
  seed?: number;
}

function rowsOf({ tasks = 1, seeds = 3, curve = () => 0, slopes = 0, run = 0, seed = 5 }: Made): WeightRow[] {
  const random = randomSource(seed);
  const own = Array.from({ length: tasks }, () => slopes * random.normal());
  return plws.flatMap((plw) =>
    Array.from({ length: seeds }, (_, s) => s).flatMap((s) => {
      const shared = run * random.normal();
      return own.map((slope, t) => ({
        ...{ cell: `${plw} ${s}`, plw, wp: wpOfPlw(plw), block: `seed ${s}`, task: `task ${t}` },
        score: curve(wpOfPlw(plw)) + slope * wpOfPlw(plw) + shared + 0.1 * s * t + 0.1 * random.normal(),
      }));
    }),
  );
}

function decide(analysis: WeightAnalysis): WeightFinding {
  const { stages, read } = stagesOf(analysis);
  const [corrected] = correctedTests([{ share: 1, stages }], 0.05);
  return findingOf(analysis, { alpha: 0.05, level: 0.95, corrected: read(corrected!) });
}

describe("one task", () => {
  test("an end that rises away from all others is named once", () => {
    const { shape, verdict } = decide(analyzeWeights(rowsOf({ seeds: 4, curve: (wp) => 6 * wp ** 4 }), 0.95));
    expect(shape).toBe("flat, then rises");
    expect(verdict).toMatch(/^flat, then rises: PLW 1 is best \(trend or curve p /);
  });

  test("two weights: the trend is the paired t-test", () => {
    const rows = rowsOf({ seeds: 8, curve: (wp) => 0.1 * wp }).filter(({ plw }) => plw === 0 || plw === 1);
    const differences = Array.from({ length: 8 }, (_, s) => {
      const at = (plw: number): number =>
        rows.find((row) => row.plw === plw && row.block === `seed ${s}`)!.score;
      return at(1) - at(0);
    });
    const mean = differences.reduce((sum, x) => sum + x, 0) / 8;
    const deviation = Math.sqrt(differences.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 7);
    const { relation } = analyzeWeights(rows, 0.95);
    expect(relation.trend.df).toBe(7);
    expect(relation.trend.t).toBeCloseTo(mean / (deviation / Math.sqrt(8)), 10);
    expect(relation.p).toBeCloseTo(studentTwoSided(relation.trend.t, 7), 12);
  });

  test("no finding depends on the unit or the order of the scores", () => {
    const rows = rowsOf({ curve: (wp) => -((wp - 0.5) ** 2) });
    const plain = decide(analyzeWeights(rows, 0.95));
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.integer({ min: -9, max: 9 }),
        (unit, shift) => {
          const turned = [...rows].reverse().map((row) => ({ ...row, score: unit * row.score + shift }));
          const found = decide(analyzeWeights(turned, 0.95));
          expect(found.shape).toBe(plain.shape);
          expect(found.evidence.relation.p).toBeCloseTo(plain.evidence.relation.p, 8);
          expect(found.vertex!.lower).toBeCloseTo(plain.vertex!.lower, 6);
        },
      ),
      { numRuns: 20 },
    );
  });

  test.each([
    ["peak", (wp: number) => 2 - 4 * (wp - 0.5) ** 2],
    ["valley", (wp: number) => 4 * (wp - 0.5) ** 2],
    ["rises", (wp: number) => wp],
    ["falls", (wp: number) => -wp],
    ["rises, then flat", (wp: number) => Math.min(1, wp / 0.4)],
    ["flat, then falls", (wp: number) => Math.min(0, 0.5 - wp)],
    ["flat", () => 0],
  ] as const)("%s", (shape, curve) => {
    expect(decide(analyzeWeights(rowsOf({ seeds: 5, curve }), 0.95)).shape).toBe(shape);
  });

  test.each([1, 2, 3])("is judged by the degrees of freedom that a plan foretells, %i seeds", (seeds) => {
    const { table, projection, variances } = analyzeWeights(rowsOf({ seeds }), 0.95);
    const { length: weights } = projection.levels;
    expect(variances.df).toBe(comparisonDf({ cells: table.cells.length, blocks: table.blocks, weights }));
  });

  test("few cells carry no verdict, but means and differences", () => {
    const rows = rowsOf({ seeds: 2, curve: (wp) => 100 * wp }).filter(({ plw }) => [0, 0.1, 1].includes(plw));
    const found = decide(analyzeWeights(rows, 0.95));
    expect(found.shape).toBe("no verdict");
    expect(found.verdict).toMatch(
      /^no verdict: 6 cells leave 2 residual degrees of freedom, and a verdict needs 6/,
    );
    expect(found.means).toHaveLength(3);
    expect(found.contrasts.map(({ plw, versus }) => [plw, versus])).toEqual([
      [0.1, 0],
      [1, 0],
      [0.1, 1],
    ]);
  });

  test("a bend that is no quadratic: the weights that beat both ends are named, and no best one", () => {
    const bump = (wp: number): number => 2 * Math.exp(-(((wp - 0.45) / 0.08) ** 2));
    const found = decide(analyzeWeights(rowsOf({ seeds: 4, curve: bump }), 0.95));
    expect(found.shape).toBe("irregular");
    expect(found.interval).toBeUndefined();
    expect(found.verdict).toMatch(
      /^PLW 0\.\d+( to 0\.\d+)? beats both ends, but no quadratic describes the means: no single best weight is named \(trend or curve p = .*; against both ends p = .*; lack of fit p = /,
    );
  });

  test("is frozen", () => {
    const found = decide(analyzeWeights(rowsOf({}), 0.95));
    expect(Object.isFrozen(found)).toBe(true);
    expect(Object.isFrozen(found.evidence.relation.trend)).toBe(true);
  });
});

describe("several tasks", () => {
  test("these tasks: the same as one task whose scores are the means of the scaled ones", () => {
    const rows = rowsOf({ tasks: 3, run: 0.1, slopes: 0.1 });
    const { relation, about, table } = analyzeWeights(rows, 0.95);
    expect(about).toBe("these tasks");
    const means = table.cells.map(({ id, plw, wp, block }, i) => ({
      ...{ cell: id, plw, wp, block: String(block), task: "mean" },
      score: table.scores.reduce((sum, values) => sum + values[i]!, 0),
    }));
    const alone = analyzeWeights(means, 0.95).relation;
    expect(relation.trend.t).toBeCloseTo(alone.trend.t, 9);
    expect(relation.curvature!.df).toBe(alone.curvature!.df);
  });

  test("tasks in general: where runs share nothing and tasks differ much, the t-test over tasks' own slopes", () => {
    const { relation, projection } = analyzeWeights(rowsOf({ tasks: 7, slopes: 30, seed: 4 }), 0.95);
    const own = projection.coordinates.map(([trend]) => trend!);
    const mean = own.reduce((sum, x) => sum + x, 0) / 7;
    const error = Math.sqrt(own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 6 / 7);
    // What is left of the runs' noise is a thousandth.
    expect(relation.trend.t / (mean / error)).toBeCloseTo(1, 2);
    expect(relation.trend.df).toBeCloseTo(6, 1);
  });

  test("a cell without a score on some task is left out with a note", () => {
    const rows = rowsOf({ tasks: 3 });
    const { table } = analyzeWeights(rows.slice(1), 0.95);
    expect(table.cells).toHaveLength(17);
    expect(table.notes).toEqual([
      "1 of 18 cells lack a score on some task and are left out of the comparison",
    ]);
  });
});
