import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newDensities } from "./family.ts";
import { gaussianBeside } from "./gaussian.ts";
import { familyNamed } from "./index.ts";

const families = {
  beta: familyNamed("beta"),
  gaussian: familyNamed("gaussian"),
  "gaussian beside a known variance": gaussianBeside(Float64Array.of(0.3)),
};

function one(name: keyof typeof families, y: number, eta: number, tau: number) {
  const out = newDensities(1);
  families[name].densities(Float64Array.of(y), Float64Array.of(eta), tau, true, out);
  return Object.fromEntries(Object.entries(out).map(([key, [value]]) => [key, value])) as Record<
    string,
    number
  >;
}

// Central differences with this step are right to about its square times the fourth derivative.
const step = 1e-4;
const derivatives: [string, string, "eta" | "tau"][] = [
  ["value", "d1", "eta"],
  ["d1", "d2", "eta"],
  ["d2", "d3", "eta"],
  ["value", "tau", "tau"],
  ["d1", "d1Tau", "tau"],
  ["d2", "d2Tau", "tau"],
];

describe.each(["beta", "gaussian", "gaussian beside a known variance"] as const)("%s", (name) => {
  test.each(derivatives)("∂%s is %s by %s", (of, is, by) => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.02, max: 0.98, noNaN: true }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: -1, max: 4, noNaN: true }),
        (y, eta, tau) => {
          const at = (shift: number) =>
            by === "eta" ? one(name, y, eta + shift, tau)[of]! : one(name, y, eta, tau + shift)[of]!;
          const difference = (at(step) - at(-step)) / (2 * step);
          const exact = one(name, y, eta, tau)[is]!;
          expect(Math.abs(difference - exact)).toBeLessThan(1e-5 * (1 + Math.abs(exact)));
        },
      ),
    );
  });

  test("the density integrates to 1", () => {
    const steps = 20000;
    const [from, to] = name === "beta" ? [0, 1] : [-8, 8];
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const y = from! + ((i + 0.5) / steps) * (to! - from!);
      sum += (Math.exp(one(name, y, 0.4, name === "beta" ? 2 : 0).value!) * (to! - from!)) / steps;
    }
    // The midpoint rule on a smooth density.
    expect(sum).toBeCloseTo(1, 7);
  });

  test("the expected curvature is the mean of the observed one", () => {
    const steps = 20000;
    const [from, to] = name === "beta" ? [0, 1] : [-8, 8];
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const y = from! + ((i + 0.5) / steps) * (to! - from!);
      const { value, d2 } = one(name, y, 0.4, name === "beta" ? 2 : 0);
      sum += (d2! * Math.exp(value!) * (to! - from!)) / steps;
    }
    expect(sum).toBeCloseTo(one(name, 0.5, 0.4, name === "beta" ? 2 : 0).expected!, 6);
  });
});

test("a beta response is strictly inside (0, 1)", () => {
  const { refuse } = familyNamed("beta");
  expect([0, 1, -0.1, Number.NaN].map((y) => refuse(y) !== undefined)).toEqual([true, true, true, true]);
  expect(refuse(0.5)).toBeUndefined();
});

test("an unknown family is refused with the known ones", () => {
  expect(() => familyNamed("poisson")).toThrow(/unknown family "poisson"/);
  expect(() => familyNamed("toString")).toThrow(/unknown family/);
});
