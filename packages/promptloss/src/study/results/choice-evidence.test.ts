import { describe, expect, test } from "vitest";
import { studyResults } from "../../../test/study/made-results.ts";
import { recommend } from "../../statistics/index.ts";
import { studyEvidence } from "./choice-evidence.ts";

const { rows } = studyResults({ ratios: [0.1], best: 0.4 });
const at = { generationRatio: 0.1 };

describe("a study's evidence", () => {
  test("is a run for each cell, in the task's own units, and leads to the study's best weight", () => {
    const study = studyEvidence(rows, at);
    expect(study).toMatchObject({ objective: "quiz accuracy", unit: "accuracy", notes: [] });
    expect(study.runs).toHaveLength(21);
    expect(study.runs[0]).toMatchObject({ plw: 0, wp: 0, score: rows[0]!.value, logRatio: 0 });
    const { plw, source } = recommend(0.1, { study });
    expect(source).toBe("study");
    expect(Math.abs(plw ** 0.30103 - 0.4)).toBeLessThan(0.11);
  });

  test("turns losses round, in nats", () => {
    const losses = rows.map((row) => ({
      ...row,
      ...{ task: "held-out", metric: "content_loss", higherIsBetter: false, value: -row.value },
    }));
    const study = studyEvidence(losses, at);
    expect(study).toMatchObject({ objective: "held-out content_loss", unit: "nats" });
    expect(study.runs.map(({ score }) => score)).toEqual(
      studyEvidence(rows, at).runs.map(({ score }) => score),
    );
  });

  test("averages several tasks of a cell, each standardized", () => {
    const two = studyResults({ ratios: [0.1], tasks: ["quiz", "essay"], best: 0.4 }).rows;
    const study = studyEvidence(two, at);
    expect(study.runs).toHaveLength(21);
    expect(study.objective).toBe("the mean of 2 tasks");
    expect(study.runs.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(0, 9);
    const essay = studyEvidence(two, { ...at, taskGroup: "long-generation" });
    expect(essay.objective).toBe("essay accuracy");
    expect(studyEvidence(two, { ...at, objective: "quiz" }).objective).toBe("quiz accuracy");
    expect(studyEvidence(two, { ...at, taskGroup: "short-generation" }).notes.join()).toMatch(/no task of/);
  });

  test("sets tasks at chance aside, unless they are asked for by name", () => {
    const guess = rows.map((row, i) => ({
      ...row,
      ...{ task: "guess", chance: 0.25, items: 200, value: 0.25 + 0.01 * ((i * 7) % 3) },
    }));
    const study = studyEvidence([...rows, ...guess], at);
    expect(study.objective).toBe("quiz accuracy");
    expect(study.notes.join()).toMatch(/guess is at chance .* set aside/);
    expect(study.runs.map(({ score }) => score)).toEqual(
      studyEvidence(rows, at).runs.map(({ score }) => score),
    );
    const named = studyEvidence([...rows, ...guess], { ...at, objective: "guess" });
    expect(named).toMatchObject({ objective: "guess accuracy", notes: [] });
  });

  test("has the learning rate where it was varied, and blocks for other factors", () => {
    const varied = rows.map((row, i) => ({
      ...row,
      factors: { ...row.factors, learningRate: i % 2 === 0 ? 1e-4 : 3e-4, model: i % 3 === 0 ? "a" : "b" },
    }));
    const { runs } = studyEvidence(varied, at);
    expect(new Set(runs.map(({ logRate }) => logRate))).toEqual(new Set([-4, Math.log10(3e-4)]));
    expect(new Set(runs.map(({ block }) => block))).toEqual(new Set(["model a", "model b"]));
  });

  test("leaves out far ratios and cells without all scores, and says so", () => {
    const far = studyEvidence([...rows, ...studyResults({ ratios: [5], best: 0.4 }).rows], at);
    expect([far.runs.length, far.notes]).toEqual([
      21,
      ["left out for an Rg more than 8 times away: 21 cells"],
    ]);
    const two = studyResults({ ratios: [0.1], tasks: ["quiz", "essay"], best: 0.4 }).rows.slice(1);
    expect(studyEvidence(two, at)).toMatchObject({ notes: ["left out for a missing score: 1 cell"] });
  });

  test("counts a diverged run as the worst", () => {
    const lost = rows.map((row, i) => (i === 0 ? { ...row, value: Number.NaN } : row));
    const { runs, notes } = studyEvidence(lost, at);
    expect(runs[0]!.score).toBe(Math.min(...runs.map(({ score }) => score)));
    expect(notes.join()).toMatch(/diverged, .*: 1 cell/);
  });

  test("refuses an objective that is not there, by name", () => {
    expect(() => studyEvidence(rows, { ...at, objective: "quizz" })).toThrow(/have no "quizz"/);
  });
});
