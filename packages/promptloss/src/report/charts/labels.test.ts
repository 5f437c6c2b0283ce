import fc from "fast-check";
import { expect, test } from "vitest";
import { CHARACTER, fitted, tick } from "./labels.ts";

test("labels keep both ends and never grow beyond their room", () => {
  expect(fitted("model long-name, seed 1", 12 * CHARACTER)).toBe("model …eed 1");
  expect(fitted("short", 5 * CHARACTER)).toBe("short");
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme-composite" }),
      fc.integer({ min: 30, max: 400 }),
      (text, pixels) => {
        const shown = [...fitted(text, pixels)];
        expect(shown.length).toBeLessThanOrEqual(Math.floor(pixels / CHARACTER));
        if ([...text].length <= pixels / CHARACTER) expect(shown.join("")).toBe(text);
        else expect(shown).toContain("…");
      },
    ),
  );
});

test("numbers on axes are short, whatever their size", () => {
  const values = [0, 0.25, -0.3, 0.9985, 26000, 250_000, 1.5e-4, -2e-7, 3e9, 1e18];
  expect(values.map(tick)).toEqual([
    ...["0", "0.25", "-0.3", "0.9985", "26000", "250K", "1.5e-4", "-2e-7", "3B", "1e+18"],
  ]);
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => tick(x).length <= 9));
});
