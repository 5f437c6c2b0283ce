import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { studyResults } from "../../../test/study/made-results.ts";
import { effectCurve, type Shape } from "../../statistics/index.ts";
import { randomSource } from "../../statistics/random.ts";
import { readTable } from "../table/table-file.ts";
import { analysisSettings } from "./analysis.ts";
import { fitStudy, type StudySurface } from "./fit-study.ts";
import { flatten, unflatten } from "./result-row.ts";
import { readStudyResults, type StudyResults, writeStudyResults } from "./results-file.ts";
import { scoredRows, usableRows } from "./scored-rows.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "results-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the tidy table", () => {
  test("comes back from its files as it was", () => {
    const results = studyResults({ ratios: [0.1], tasks: ['a, "b"', "c"] });
    writeStudyResults(folder, results);
    expect(readStudyResults(folder)).toEqual(results);
    const csv = readTable(join(folder, "results.csv"));
    expect(csv.map(({ task }) => task)).toEqual(results.rows.map(({ task }) => task));
    expect(csv.map(({ value }) => Number(value))).toEqual(results.rows.map(({ value }) => value));
    expect(readFileSync(join(folder, "results.csv"), "utf8").split("\n")[0]).toBe(
      "study,cell,seed,plw,wp,rg,task,task_group,metric,higher_is_better,primary,value,standard_error,paired_error,items,chance,precision,probe_distance",
    );
  });

  test("flat rows hold all of a row", () => {
    const results = studyResults({ ratios: [0.1] });
    fc.assert(
      fc.property(
        fc.record({
          value: fc.double({ noNaN: true }),
          standardError: fc.option(fc.double({ noNaN: true }), { nil: null }),
          items: fc.option(fc.integer({ min: 1 }), { nil: null }),
          chance: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
          generationRatio: fc.option(fc.double({ min: 1e-3, max: 10, noNaN: true }), { nil: null }),
          primary: fc.boolean(),
        }),
        (change) => {
          const row = { ...results.rows[0]!, ...change };
          expect(unflatten(flatten(row, results), results)).toEqual(row);
        },
      ),
    );
  });

  test("a folder without results says so", () => {
    expect(() => readStudyResults(join(folder, "none"))).toThrow(/no results of a study/);
  });
});

describe("models of a study", () => {
  test("one a generation ratio and group of tasks, with a curve for each task and a level for each block", () => {
    const results = studyResults({ ratios: [0.1, 3], tasks: ["quiz", "essay", "puzzle"], best: 0.7 });
    const { fits, benchmarks, surfaces, tested } = fitStudy(results);
    expect(fits.map(({ taskGroup, generationRatio }) => [taskGroup, generationRatio?.toFixed(2)])).toEqual([
      [undefined, "0.10"],
      [undefined, "3.00"],
      ["multiple-choice", "0.10"],
      ["multiple-choice", "3.00"],
      ["long-generation", "0.10"],
      ["long-generation", "3.00"],
    ]);
    expect(fits[0]!.formula).toBe("score ~ wp + wp^2 + (0 + wp + wp^2|benchmark) + (1|block) + (1|cell)");
    // The rows were drawn around a curve that is highest at w_p 0.7; noise of 0.01 leaves its vertex within 0.05.
    expect(fits[0]!.effect!.kind).toBe("maximum");
    expect(Math.abs(fits[0]!.effect!.best!.wp - 0.7)).toBeLessThan(0.05);
    expect(fits[0]!.transforms.map(({ name }) => name)).toEqual(["z-score"]);
    expect(benchmarks.map(({ benchmark }) => benchmark)).toEqual([
      ...["essay", "essay"],
      ...["quiz", "quiz", "puzzle", "puzzle"],
    ]);
    // The long generation group has one benchmark, which is tested once.
    expect(tested).toBe(10);
    expect(surfaces).toEqual([]);
  });

  test("metrics of which less is better are turned round", () => {
    const up = studyResults({ ratios: [0.1], best: 0.7 });
    const down = {
      ...up,
      rows: up.rows.map((row) => ({ ...row, value: -row.value, higherIsBetter: false })),
    };
    expect(fitStudy(down).fits[0]!.fit!.logLik).toBeCloseTo(fitStudy(up).fits[0]!.fit!.logLik, 9);
  });

  test("cells of several precisions are said, unless that is a factor of the study", () => {
    const { rows } = studyResults({ ratios: [0.1], tasks: ["quiz"] });
    const mixed = rows.map((row) => ({ ...row, precision: row.plw === 0 ? "float32" : "bfloat16" }));
    expect(usableRows(rows).notes).toEqual([]);
    expect(usableRows(mixed).notes).toEqual([
      expect.stringMatching(
        /^cells were trained in different precisions \(\d+ in float32, \d+ in bfloat16\), .* training.precision/,
      ),
    ]);
    const asked = mixed.map((row) => ({
      ...row,
      factors: { ...row.factors, "training.precision": row.precision },
    }));
    expect(usableRows(asked).notes).toEqual([]);
  });

  test("benchmarks without variation, and cells too few, are said and not thrown", () => {
    const { rows, ...rest } = studyResults({ ratios: [0.1], tasks: ["quiz", "puzzle"] });
    const flat = rows.map((row) => (row.task === "quiz" ? { ...row, value: 0.5 } : row));
    const { notes, rows: kept } = usableRows(flat);
    expect(notes).toEqual(["quiz has the same value in all cells and is left out"]);
    expect(new Set(kept.map(({ benchmark }) => benchmark))).toEqual(new Set(["puzzle"]));
    const few = rows.filter(({ plw }) => plw === 0 || plw === 1);
    const [two] = fitStudy({ ...rest, rows: few }).fits;
    expect(two!.problem).toMatch(/needs 4 weights or more, and there are 2/);
    // Two weights have a mean each, and their difference with its interval.
    expect(two!.finding!.means.map(({ plw }) => plw)).toEqual([0, 1]);
    expect(two!.finding!.contrasts).toHaveLength(1);
    expect(fitStudy({ ...rest, rows: [] }).fits).toEqual([]);
  });

  test("scores that are no numbers stay such in the files, and count as the worst of their block", () => {
    const results = studyResults({ ratios: [0.1], best: 0.7 });
    const rows = results.rows.map((row, i) => (i === 3 ? { ...row, value: Number.NaN } : row));
    writeStudyResults(folder, { ...results, rows });
    const read = readStudyResults(folder);
    expect(read.rows[3]!.value).toBeNaN();
    const { fits, notes } = fitStudy(read);
    expect(notes).toEqual([
      "1 run diverged or gave a score that is no number, which counts as the worst one of the same block: " +
        "PLW 0.001, seed 1",
    ]);
    expect(fits[0]!.rows).toHaveLength(results.rows.length);
    const seed = results.rows.filter(({ factors }, i) => factors.seed === 1 && i !== 3);
    expect(fits[0]!.rows[3]!.value).toBe(Math.min(...seed.map(({ value }) => value)));
  });

  test("a weight whose runs diverge is not the best, even where the one that went well is", () => {
    const results = studyResults({ ratios: [0.1], best: 0.7 });
    const top = 0.3;
    const rows = results.rows.map((row) =>
      row.plw === top && row.factors.seed !== 1 ? { ...row, value: Number.NaN } : row,
    );
    const { finding } = fitStudy({ ...results, rows }).fits[0]!;
    const [best] = [...finding!.means].sort((a, b) => b.mean - a.mean);
    expect(best!.plw).not.toBe(top);
    expect(finding!.means.find(({ plw }) => plw === top)!.cells).toBe(3);
  });

  test("the mean at the best weight is the model's there", () => {
    // Where scores rise and stay, the best weight is that of the highest mean, and the model's curve turns elsewhere.
    const random = randomSource(5);
    const made = studyResults({ ratios: [0.1] });
    const rows = made.rows.map((row) => ({
      ...row,
      value: Math.min(1, row.wp / 0.4) + 0.02 * random.normal(),
    }));
    const { fit, effect, finding } = fitStudy({ ...made, rows }).fits[0]!;
    expect(finding!.shape).toBe("rises, then flat");
    const { wp, mean } = effect!.best!;
    expect(wp).toBe(finding!.best.wp);
    expect(mean).toBe(effectCurve(fit!, { wps: [wp] })[0]!.mean);
    expect(mean).toBeLessThan(Math.max(...effectCurve(fit!).map((point) => point.mean)) - 0.01);
  });

  test("four ratios or more make a surface, whose claim over all ratios is one of the study's", () => {
    const results = studyResults({ ratios: [0.1, 0.3, 0.9, 2.7], best: 0.7 });
    const { surfaces, tested } = fitStudy(results);
    const [{ problem, finding }] = surfaces as [StudySurface];
    expect(problem).toBeUndefined();
    expect(finding!.shape).toBe("peak");
    expect(finding!.evidence.blocks).toBe(12);
    // Four ratios, and all of them together.
    expect(tested).toBe(5);
    // Without drawings, the same claims.
    const bare = fitStudy(results, results.analysis, { models: false });
    expect(bare.surfaces[0]!.surface).toBeUndefined();
    expect(bare.surfaces[0]!.finding!.correctedInsideP).toBe(finding!.correctedInsideP);
  });

  test("over all ratios a course that rises and stays is no best weight inside, and opposite ones are nothing", () => {
    const made = studyResults({ ratios: [0.1, 0.3, 0.9, 2.7] });
    const shapeOf = (course: (wp: number, ratio: number) => number): Shape => {
      const random = randomSource(3);
      const rows = made.rows.map((row) => ({
        ...row,
        value: course(row.wp, row.generationRatio!) + 0.02 * random.normal(),
      }));
      return fitStudy({ ...made, rows }, made.analysis, { models: false }).surfaces[0]!.finding!.shape;
    };
    expect(shapeOf((wp) => Math.min(1, wp / 0.4))).toBe("rises, then flat");
    expect(shapeOf((wp, ratio) => (ratio < 0.5 ? wp : -wp))).toBe("flat");
  });
});

describe("scores of a model", () => {
  const results = studyResults({ ratios: [0.1], tasks: ["quiz", "puzzle"], best: 0.7 });

  test("depend on the model's own rows alone", () => {
    const quiz = results.rows.filter(({ task }) => task === "quiz");
    for (const family of ["gaussian", "beta"] as const) {
      const settings = analysisSettings({ family });
      const alone = fitStudy({ ...results, rows: quiz }, settings).fits[0]!;
      const among = fitStudy(results, settings).benchmarks.find(({ benchmark }) => benchmark === "quiz")!;
      expect(among.rows.map(({ score }) => score)).toEqual(alone.rows.map(({ score }) => score));
      expect(among.fit!.logLik).toBe(alone.fit!.logLik);
      expect(among.finding!.evidence.relation).toEqual(alone.finding!.evidence.relation);
    }
  });

  test("of a benchmark at chance are set aside, with a note", () => {
    const random = randomSource(3);
    const rows = results.rows.map((row) =>
      row.task === "puzzle"
        ? { ...row, value: 0.25 + 0.01 * random.normal(), standardError: 0.03, items: 200, chance: 0.25 }
        : { ...row, chance: 0.25 },
    );
    const { atChance, notes, fits } = fitStudy({ ...results, rows });
    expect(atChance).toEqual(["puzzle"]);
    expect(notes.join()).toMatch(/puzzle is at chance/);
    expect(new Set(fits[0]!.rows.map(({ benchmark }) => benchmark))).toEqual(new Set(["quiz"]));
  });

  test("of two families that disagree are said to disagree, and agree elsewhere", () => {
    const { fits } = fitStudy(results);
    expect(fits[0]!.beside).toMatchObject({ family: "beta", agrees: true });
  });

  test("are scaled for the beta family by the named steps", () => {
    const { rows } = usableRows(results.rows);
    const { rows: scored, applied } = scoredRows(rows, analysisSettings({ family: "beta" }));
    expect(applied.map(({ name }) => name)).toEqual(["min-max", "squeeze"]);
    expect(scored.every(({ score }) => score > 0 && score < 1)).toBe(true);
  });
});

describe("sampling errors that count as known", () => {
  const results = studyResults({ ratios: [0.1], tasks: ["quiz"], best: 0.5 });
  const withErrors = (standardError: number | null, pairedError: number | null): StudyResults => ({
    ...results,
    rows: results.rows.map((row) => ({ ...row, standardError, pairedError })),
  });
  const known = analysisSettings({ samplingError: "known" });
  const first = (from: StudyResults) => fitStudy(from, known).fits[0]!;

  test("are in the comparison and in the model; paired ones come before a score's own", () => {
    const plain = fitStudy(withErrors(0.05, null)).fits[0]!;
    const [own, paired] = [first(withErrors(0.3, null)), first(withErrors(0.3, 0.002))];
    expect(own.finding!.evidence.relation.trend.standardError).toBeGreaterThan(
      2 * plain.finding!.evidence.relation.trend.standardError,
    );
    // The made noise is 0.01: an error of 0.002 is within it.
    expect(paired.finding!.evidence.relation.p).toBeCloseTo(plain.finding!.evidence.relation.p, 8);
    expect([plain.finding!.shape, own.finding!.shape, paired.finding!.shape]).toEqual([
      "peak",
      "flat",
      "peak",
    ]);
    const variance = (fit: typeof plain) => fit.fit!.dispersion ** 2;
    const unit = paired.rows[0]!.unit;
    expect(variance(paired) + (0.002 / unit) ** 2).toBeCloseTo(variance(plain), 6);
    expect([plain.fit!.samplingError, paired.fit!.samplingError]).toEqual([undefined, "sampling_error"]);
  });

  test("are said whose they are; where none is known all is as before", () => {
    const { notes } = fitStudy(withErrors(0.05, null), known);
    expect(notes.join()).toContain("each score's own standard error for quiz");
    const none = fitStudy(withErrors(null, null), known);
    expect(none.notes.join()).toContain("none is known for quiz");
    expect(none.fits[0]!.finding!.verdict).toBe(fitStudy(results).fits[0]!.finding!.verdict);
    expect(none.fits[0]!.fit!.samplingError).toBeUndefined();
  });

  test("are for the Gaussian family", () => {
    expect(() => analysisSettings({ family: "beta", samplingError: "known" })).toThrow(/gaussian family/);
  });
});

describe("PLW × another factor", () => {
  /** Two learning rates, three seeds; the course rises with one rate and falls with the other, or rises with both. */
  const rates = (differ: boolean): StudyResults => {
    const made = studyResults({ ratios: [0.1] });
    const random = randomSource(9);
    const rows = made.rows.flatMap((row) =>
      [1e-4, 3e-4].map((rate) => ({
        ...row,
        cell: `${row.cell}-${rate}`,
        factors: { ...row.factors, rate },
        value: (differ && rate > 2e-4 ? -1 : 1) * 0.2 * row.wp + 0.01 * random.normal(),
      })),
    );
    return { ...made, factors: ["plw", "seed", "rate"], rows };
  };

  test("is told where the courses differ, with each level's own finding and the best pair", () => {
    const [found] = fitStudy(rates(true)).interactions;
    expect(found!.test!.correctedP).toBeLessThan(1e-6);
    expect(found!.levels.map(({ level, finding }) => [level, finding!.shape])).toEqual([
      ["0.0001", "rises"],
      ["0.0003", "falls"],
    ]);
    expect(found!.test!.pairs[0]).toMatchObject({ level: "0.0001", plw: 1 });
    expect(found!.sentence).toMatch(/^PLW × rate: F\(2, \d+\) = .*about these tasks/);
  });

  test("is not told where they are alike", () => {
    const [found] = fitStudy(rates(false)).interactions;
    expect(found!.test!.correctedP).toBeGreaterThan(0.05);
  });
});
