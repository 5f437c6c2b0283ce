import fc from "fast-check";
import { expect, test } from "vitest";
import { digamma, lgamma, tetragamma, trigamma } from "../special.ts";
import { type LogGamma, logGamma } from "./log-gamma.ts";

function at(x: number): LogGamma {
  const out = { value: 0, digamma: 0, trigamma: 0, tetragamma: 0 };
  logGamma(x, out);
  return out;
}

test("agrees with the library from 1e-6 to 1e6", () => {
  fc.assert(
    fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (magnitude) => {
      const x = 10 ** magnitude;
      const reference = {
        value: lgamma(x),
        digamma: digamma(x),
        trigamma: trigamma(x),
        tetragamma: tetragamma(x),
      };
      for (const [key, exact] of Object.entries(reference)) {
        // A dozen roundings of terms as large as x log x.
        const size = key === "value" ? Math.max(1, Math.abs(x * Math.log(x))) : Math.abs(exact) + 1e-3;
        expect(Math.abs(at(x)[key as keyof LogGamma] - exact) / size, `${key} at ${x}`).toBeLessThan(3e-12);
      }
    }),
    { numRuns: 1000 },
  );
});

test("has no value below 0", () => {
  expect(at(-0.5).value).toBeNaN();
  expect(at(0).value).toBe(Number.POSITIVE_INFINITY);
});
