import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { fitMixedModel } from "../mixed/model.ts";
import { effectCurve } from "./curve.ts";

const { data } = JSON.parse(
  readFileSync(new URL("../goldens/mixed-models.json", import.meta.url), "utf8"),
) as {
  data: Row[];
};
const fit = fitMixedModel(data, "score ~ wp * kind + wp^2 + factor(model) + (1 | benchmark)");

test("runs from 0 to 1 inside its interval", () => {
  const curve = effectCurve(fit, { at: { kind: "short" }, points: 5 });
  expect(curve.map(({ wp }) => wp)).toEqual([0, 0.25, 0.5, 0.75, 1]);
  for (const { mean, lower, upper } of curve) {
    expect(lower).toBeLessThan(mean);
    expect(upper).toBeGreaterThan(mean);
  }
  const narrow = effectCurve(fit, { at: { kind: "short" }, points: 5, level: 0.5 });
  expect(narrow[2]!.upper).toBeLessThan(curve[2]!.upper);
});

test("a named group's curve goes through its fitted values", () => {
  const i = data.findIndex(({ wp, model }) => wp === 1 && model === "m2");
  const { kind, benchmark, model } = data[i]!;
  const at = { kind, benchmark, model } as Row;
  expect(effectCurve(fit, { at }).at(-1)!.mean).toBeCloseTo(fit.fitted[i]!, 12);
  expect(effectCurve(fit, { at: { kind, model } as Row }).at(-1)!.mean).not.toBeCloseTo(fit.fitted[i]!, 3);
});

describe("what is not said is typical", () => {
  const plain = fitMixedModel(data, "score ~ wp + log(size) + kind + (1 | benchmark)");
  test("numeric columns at their means, factors at their base", () => {
    const size = data.reduce((sum, row) => sum + Number(row.size), 0) / data.length;
    expect(effectCurve(plain)).toEqual(effectCurve(plain, { at: { size, kind: "choice" } }));
  });
  test("a number of points that draws no curve is refused", () => {
    expect(() => effectCurve(plain, { points: 1 })).toThrow(/points must be/);
  });
});
