import fc from "fast-check";
import { expect, test } from "vitest";
import { CHARACTER, fitted } from "./labels.ts";

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
