import fc from "fast-check";
import { expect, test } from "vitest";
import { TOKEN_CLASSES } from "../example.ts";
import { resolveWeightPolicy } from "./weight-policy.ts";
import { weightProblems } from "./weight-range.ts";

function fields(policy: Parameters<typeof weightProblems>[0]): string[] {
  return weightProblems(policy).map(({ field }) => field);
}

test("weights from 0 to 1 are taken as they are", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, fc.double({ min: 1e-6, max: 1, noNaN: true }), share, (prompt, completion, end) => {
      const policy = { promptLossWeight: prompt, completionWeight: completion, perClass: { end } };
      expect(weightProblems(policy)).toEqual([]);
      const { classWeights } = resolveWeightPolicy(policy);
      const completions = ["completion", "reasoning", "tool-call"];
      expect(classWeights).toEqual(
        TOKEN_CLASSES.map((name) => {
          if (name === "end") return end;
          return completions.includes(name) ? completion : prompt;
        }),
      );
    }),
  );
});

test("above 1 only where any weight is allowed; negative and not finite never", () => {
  for (const allowAnyWeight of [false, true]) {
    const allowed = (weight: number): string[] =>
      fields({
        promptLossWeight: weight,
        completionWeight: weight,
        perClass: Object.fromEntries(TOKEN_CLASSES.map((name) => [name, weight])),
        allowAnyWeight,
      });
    const all = ["promptLossWeight", "completionWeight", ...TOKEN_CLASSES.map((name) => `perClass.${name}`)];
    for (const weight of [-1e-9, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(allowed(weight)).toEqual(all);
    expect(allowed(1.0001)).toEqual(allowAnyWeight ? [] : all);
    expect(allowed(0)).toEqual(allowAnyWeight ? [] : ["completionWeight", "perClass.completion"]);
  }
});

test("says what is wrong, and how it can be had", () => {
  expect(() => resolveWeightPolicy({ promptLossWeight: 1.5 })).toThrow(
    "promptLossWeight: 1.5 is above 1, the weight of a completion; loss.allowAnyWeight: true (--allow-any-weight) allows it",
  );
  expect(resolveWeightPolicy({ promptLossWeight: 1.5, allowAnyWeight: true }).classWeights[0]).toBe(1.5);
});
