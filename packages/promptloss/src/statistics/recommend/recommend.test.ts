import { describe, expect, test } from "vitest";
import { normalizationNames, taskGroups } from "../choice/index.ts";
import { wpOfPlw } from "../effect/plw.ts";
import { randomSource } from "../random.ts";
import {
  candidateWeights,
  GAP_UNIT,
  type OwnRun,
  ownRun,
  recommend,
  type StudyEvidence,
} from "./recommend.ts";
import { renderRecommendation } from "./render.ts";
import { translateShare } from "./translate-share.ts";

/** Three runs at each of seven weights, best at a w_p. */
function study(best: number, rest: Partial<OwnRun> = {}): StudyEvidence {
  const random = randomSource(1);
  const runs = [0, 0.001, 0.01, 0.1, 0.3, 0.6, 1].flatMap((plw) =>
    [1, 2, 3].map(() =>
      ownRun(plw, { score: 0.8 - 0.6 * (wpOfPlw(plw) - best) ** 2 + 0.01 * random.normal(), ...rest }),
    ),
  );
  return { runs, objective: "quiz acc", unit: "acc", notes: ["a note"] };
}

describe("without runs", () => {
  test("at the paper's ratio: its fitted weight, with what it may cost", () => {
    for (const taskGroup of [undefined, "multiple-choice", "short-generation"] as const) {
      const advice = recommend(0.08, { taskGroup });
      expect(advice).toMatchObject({
        plw: 0.242,
        source: "prior",
        runs: 0,
        unit: GAP_UNIT,
        noise: undefined,
      });
      expect(advice.expectedRegret).toBeGreaterThan(0);
      expect(advice.expectedRegret).toBeLessThan(0.3);
      expect(advice.oneMoreRun).toBeUndefined();
      expect(advice.within.weights).toContain(0.242);
    }
  });

  test("for long generation a higher weight", () => {
    expect(recommend(0.08, { taskGroup: "long-generation" }).plw).toBeGreaterThan(recommend(0.08).plw);
  });

  test("the farther from what was measured, the less sure", () => {
    const regrets = [0.08, 0.5, 3.27, 30].map((ratio) => recommend(ratio).expectedRegret);
    expect(regrets).toEqual([...regrets].sort((a, b) => a - b));
    expect(recommend(3.27).sentence).toMatch(/no run on this data stands behind it/);
    expect(recommend(3.27).unknown.join()).toMatch(/no significant relation/);
  });

  test("what it says has no step at Rg 1", () => {
    const [below, above] = [0.999, 1.001].map((ratio) => recommend(ratio));
    below!.weights.forEach(({ expectedRegret, probabilityBest }, i) => {
      // 2,000 draws: one that falls to another member of the mixture moves a mean by up to 1 / 2000 of a few gaps.
      expect(Math.abs(above!.weights[i]!.expectedRegret - expectedRegret)).toBeLessThan(0.02);
      expect(Math.abs(above!.weights[i]!.probabilityBest - probabilityBest)).toBeLessThan(0.02);
    });
    expect(above!.unknown).toEqual(below!.unknown);
    const texts = ({ evidence }: typeof below & object): string[] =>
      evidence.map(({ text }) => text.replaceAll(/Rg (0\.999|1) /g, "Rg ~ "));
    expect(texts(above!).slice(0, -1)).toEqual(texts(below!).slice(0, -1));
  });

  test("our own choices are never printed as the paper's, and nothing is called significant of a choice", () => {
    for (const ratio of [0.08, 0.3, 0.7, 1, 3, 10])
      for (const taskGroup of [undefined, ...taskGroups]) {
        const advice = recommend(ratio, { taskGroup });
        for (const { mark, text } of advice.evidence)
          if (mark === "O")
            expect(text).toMatch(/our choice; the paper's exact setting was not available to us$/);
        const text = renderRecommendation(advice);
        for (const line of text.split("\n").filter((each) => each.includes("our choice; the")))
          expect(line).toMatch(/^ {2}\[our choice, not the paper's\]/);
        expect(advice.sentence).not.toMatch(/significant/);
        // Of the paper's findings alone.
        expect(text.split("Known")[0]).not.toMatch(/significant/);
        expect(JSON.stringify(Object.keys(advice))).not.toMatch(/significant/);
      }
  });

  test("a weight is taken into the recipe's normalization by the prompt's share", () => {
    const shares = normalizationNames.map((normalization) => recommend(0.08, { normalization }));
    const plw = Object.fromEntries(shares.map((advice) => [advice.share.normalization, advice.plw]));
    expect([plw["active-count"], plw["all-mean"], plw["completion-count"]]).toEqual([0.242, 0.242, 0.242]);
    // 0.242 is 75 % of the token weight here, which segment-mean has at PLW 3.
    expect(plw["segment-mean"]).toBeGreaterThan(0.242);
    expect(plw["loss-share"]).toBeGreaterThan(0.242);
    expect(recommend(0.08, { normalization: "loss-share" }).weights.every((each) => each.plw < 1)).toBe(true);
    const { share, equivalents } = translateShare(0.242, 0.08, "weight-sum");
    expect([share, equivalents["loss-share"], equivalents["segment-mean"]]).toEqual([
      expect.closeTo(0.7516, 4),
      expect.closeTo(0.7516, 4),
      expect.closeTo(3.025, 3),
    ]);
  });

  test("as text", () => {
    expect(renderRecommendation(recommend(8))).toMatchSnapshot();
  });
});

describe("with runs", () => {
  test("they lead, in their own units", () => {
    for (const best of [0.25, 0.5, 0.8]) {
      const advice = recommend(0.08, { study: study(best) });
      expect(advice).toMatchObject({ source: "study", runs: 21, unit: "acc", objective: "quiz acc" });
      expect(Math.abs(wpOfPlw(advice.plw) - best)).toBeLessThan(0.15);
      // A step of 0.15 from the best costs 0.0135.
      expect(advice.expectedRegret).toBeLessThan(0.0135);
      expect(advice.noise).toBeGreaterThan(0.005);
      expect(advice.noise).toBeLessThan(0.02);
      expect(advice.oneMoreRun!.gain).toBeLessThan(advice.expectedRegret);
      expect(advice.evidence.slice(0, 2)).toEqual([
        { mark: "study", text: "21 runs at PLW 0, 0.001, 0.01, 0.1, 0.3, 0.6, 1, scored by quiz acc" },
        { mark: "study", text: "a note" },
      ]);
    }
  });

  test("the tolerance is in their units, and the runs' weights are candidates", () => {
    const advice = recommend(0.08, { study: study(0.5), tolerance: 0.02 });
    expect(advice.weights.map(({ plw }) => plw)).toEqual(expect.arrayContaining([0.242, 0.3, 0.6]));
    expect(advice.within.tolerance).toBe(0.02);
    expect(advice.within.weights).toContain(0.1);
    expect(advice.within.weights).not.toContain(1);
  });

  test("weights that are named are the only candidates", () => {
    const advice = recommend(0.08, { study: study(0.5), weights: [0.4, 0.2] });
    expect(advice.weights.map(({ plw }) => plw)).toEqual([0.2, 0.4]);
    expect([0.2, 0.4]).toContain(advice.plw);
  });

  test("a learning rate that was varied is chosen too", () => {
    const both = study(0.5);
    const runs = both.runs.flatMap((run) => [
      { ...run, logRate: -4 },
      { ...run, logRate: -3, score: run.score - 0.3 },
    ]);
    const advice = recommend(0.08, { study: { ...both, runs } });
    expect(advice.learningRate).toBeCloseTo(1e-4, 12);
    expect(advice.sentence).toContain("at learning rate 0.0001");
  });

  test("runs that tell nothing leave the prior, and it says so", () => {
    const one = { ...study(0.5), runs: study(0.5).runs.slice(0, 3) };
    const advice = recommend(0.08, { study: one });
    expect(advice).toMatchObject({ source: "prior", runs: 0, unit: GAP_UNIT, plw: 0.242 });
    expect(advice.evidence[0]!.text).toMatch(/do not tell weights apart/);
    expect(renderRecommendation(advice)).toContain("no run on this data");
  });

  test("as text", () => {
    expect(renderRecommendation(recommend(0.3, { study: study(0.5) }))).toMatchSnapshot();
  });
});

test("a ratio that is none, unknown names and weights are refused", () => {
  expect(() => recommend(0)).toThrow(/must be a positive number/);
  expect(() => recommend(Number.NaN)).toThrow(/must be a positive number/);
  expect(() => recommend(1, { taskGroup: "chat" as "multiple-choice" })).toThrow(/unknown task group "chat"/);
  expect(() => recommend(1, { weights: [2] })).toThrow(/2 is no prompt loss weight from 0 to 1/);
  expect(candidateWeights).toContain(0.242);
});
