import { describe, expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { quadraticEffect } from "../effect/quadratic-effect.ts";
import { fitMixedModel } from "../mixed/model.ts";
import { randomSource } from "../random.ts";
import { fitSurface } from "../surface/surface.ts";
import { recommend, taskGroups } from "./recommend.ts";
import { renderRecommendation } from "./render.ts";

/** Scores at eleven w_p and six ratios, best at w_p 0.7, or flat. */
function study(height: number): Row[] {
  const random = randomSource(1);
  return [0.1, 0.3, 0.7, 1.5, 3, 6].flatMap((rg) =>
    Array.from({ length: 11 }, (_, i) => {
      const mu = 1 / (1 + Math.exp(height * (i / 10 - 0.7) ** 2 - 0.5));
      return { wp: i / 10, rg, score: random.beta(500 * mu, 500 * (1 - mu)) };
    }),
  );
}

const effectOf = (height: number) => quadraticEffect(fitMixedModel(study(height), "score ~ wp + wp^2"));

describe("from the paper", () => {
  test("short completions: its fitted 0.242, in the range that it states", () => {
    for (const taskGroup of [undefined, "multiple-choice", "short-generation"] as const) {
      expect(recommend(0.08, taskGroup === undefined ? {} : { taskGroup })).toMatchObject({
        plw: 0.242,
        interval: { lower: 0.01, upper: 0.5, kind: "stated" },
        source: "paper",
        significant: true,
      });
    }
  });

  test("long generation on short completions: PLW 1", () => {
    expect(recommend(0.08, { taskGroup: "long-generation" })).toMatchObject({
      plw: 1,
      interval: { lower: 0.5, upper: 1 },
    });
  });

  test("long completions: no significant relation, and a number that is ours", () => {
    const advice = recommend(3.27);
    expect(advice).toMatchObject({ plw: 0.1, interval: { lower: 0, upper: 1 }, significant: false });
    expect(advice.sentence).toMatch(/not significant: p = 0\.237/);
  });

  test("what lies between its measured ratios is said to", () => {
    expect(recommend(0.3)).toMatchObject({ significant: false });
    expect(recommend(0.3).evidence.some(({ mark }) => mark === "O")).toBe(true);
    expect(recommend(1).evidence.some(({ text }) => text.includes("leaves open"))).toBe(true);
  });

  test("our own choices are never printed as the paper's", () => {
    for (const ratio of [0.08, 0.3, 0.7, 1, 3, 10]) {
      for (const taskGroup of taskGroups) {
        const advice = recommend(ratio, { taskGroup });
        const byPaper = advice.sentence.split("Beyond the paper:")[0]!;
        for (const { mark, text } of advice.evidence) {
          if (mark === "O") {
            expect(text).toMatch(/our choice; the paper's exact setting was not available to us$/);
            expect(byPaper).not.toContain(text);
            expect(advice.sentence).toContain(text);
          }
        }
        expect(advice.interval.lower).toBeLessThanOrEqual(advice.plw);
        expect(advice.interval.upper).toBeGreaterThanOrEqual(advice.plw);
        const marked = renderRecommendation(advice)
          .split("\n")
          .filter((line) => line.includes("our choice; the"));
        for (const line of marked) expect(line).toMatch(/^ {2}\[our choice, not the paper's\]/);
      }
    }
  });

  test("as text", () => {
    expect(renderRecommendation(recommend(0.7, { taskGroup: "long-generation" }))).toMatchSnapshot();
    expect(renderRecommendation(recommend(8))).toMatchSnapshot();
    const end = { ...recommend(8), plw: 0, interval: { lower: 0, upper: 0, kind: "end" } as const };
    expect(renderRecommendation(end)).toContain(
      "\nRange               none (the best is the end of what was tried)\n",
    );
  });
});

describe("from the user's study", () => {
  const effect = effectOf(4);
  const surface = fitSurface(study(4));

  test("a model of the same ratio answers", () => {
    const advice = recommend(0.1, { study: { effects: [{ generationRatio: 0.09, effect }] } });
    expect(advice).toMatchObject({
      source: "study",
      significant: true,
      plw: effect.best!.plw,
      interval: { kind: "delta" },
    });
    expect(advice.evidence[0]).toEqual({ mark: "study", text: effect.sentence });
  });

  test("a surface answers for any ratio inside its data", () => {
    const advice = recommend(2, { study: { surfaces: [{ surface }] } });
    expect(advice).toMatchObject({ source: "study", interval: { kind: "surface", level: 0.95 } });
    expect(Math.abs(advice.plw - 0.7 ** (1 / 0.30103))).toBeLessThan(0.05);
  });

  test("the task group's own finding comes before one over all tasks", () => {
    const other = { ...effect, best: { ...effect.best!, plw: 0.9 } };
    const effects = [
      { generationRatio: 0.1, effect: other },
      { generationRatio: 0.1, taskGroup: "multiple-choice" as const, effect },
    ];
    expect(recommend(0.1, { taskGroup: "multiple-choice", study: { effects } }).plw).toBe(effect.best!.plw);
    expect(recommend(0.1, { taskGroup: "long-generation", study: { effects } }).plw).toBe(0.9);
  });

  test("outside its data, and where it finds nothing, the paper answers and the study's word is told", () => {
    const outside = recommend(20, {
      study: { surfaces: [{ surface }], effects: [{ generationRatio: 0.1, effect }] },
    });
    expect(outside.source).toBe("paper");
    expect(outside.evidence.map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/covers Rg 0\.1 to 6 only/),
        expect.stringMatching(/does not speak for/),
      ]),
    );
    const nothing = recommend(0.1, { study: { effects: [{ generationRatio: 0.1, effect: effectOf(0) }] } });
    expect(nothing.source).toBe("paper");
    expect(nothing.sentence).toMatch(/your study does not settle it; by the paper/);
    expect(nothing.evidence[0]!.text).toMatch(/no significant relation/);
    const flat = recommend(1, { study: { surfaces: [{ surface: fitSurface(study(0)) }] } });
    expect(flat.evidence[0]!.text).toMatch(/no significant best PLW/);
  });

  test("a course without a vertex recommends its end", () => {
    const rising = quadraticEffect(
      fitMixedModel(
        study(4).map((row) => ({
          ...row,
          score: 0.3 + 0.3 * Number(row.wp) + 0.01 * Math.sin(50 * Number(row.score)),
        })),
        "score ~ wp + wp^2",
      ),
    );
    expect(rising.kind).toBe("monotone");
    const advice = recommend(0.1, { study: { effects: [{ generationRatio: 0.1, effect: rising }] } });
    expect(advice).toMatchObject({ plw: 1, interval: { lower: 1, upper: 1, kind: "end" }, source: "study" });
  });
});

test("a ratio that is none, and an unknown task group, are refused", () => {
  expect(() => recommend(0)).toThrow(/must be a positive number/);
  expect(() => recommend(Number.NaN)).toThrow(/must be a positive number/);
  expect(() => recommend(1, { taskGroup: "chat" as "multiple-choice" })).toThrow(/unknown task group "chat"/);
});
