import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bar, barLine } from "./bar.ts";

test("the rest of a bar is another character: it can be told without colors", () => {
  expect(stripVTControlCharacters(bar(0.5, 8))).toBe("━━━━────");
  expect(stripVTControlCharacters(bar(2, 4))).toBe("━━━━");
  expect(stripVTControlCharacters(bar(Number.NaN, 4))).toBe("────");
});

test("a bar's line fits, and the bar gives way before the text does", () => {
  const shown = (columns?: number): string =>
    stripVTControlCharacters(barLine(0.5, "120/1,755  epoch 1", columns));
  expect(shown()).toBe(`${"━".repeat(12)}${"─".repeat(12)} 120/1,755  epoch 1`);
  expect(shown(27)).toBe(`${"━".repeat(4)}${"─".repeat(4)} 120/1,755  epoch 1`);
  expect(shown(16)).toBe(`${"━".repeat(3)}${"─".repeat(3)} 120/1,755`);
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, min: 0, max: 1 }),
      fc.string(),
      fc.integer({ min: 7 }),
      (share, text, columns) => {
        expect(stripVTControlCharacters(bar(share)).length).toBe(24);
        const plain = text.replaceAll(/[^\x20-\x7e]/g, "");
        expect(stripVTControlCharacters(barLine(share, plain, columns)).length).toBeLessThanOrEqual(columns);
      },
    ),
  );
});
