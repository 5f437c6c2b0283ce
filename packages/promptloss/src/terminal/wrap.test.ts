import fc from "fast-check";
import { expect, test } from "vitest";
import { columnsOf, wrapped } from "./wrap.ts";

test("lines are broken between words, and what follows hangs", () => {
  expect(wrapped("  a line of some words that is long", 14)).toBe(
    "  a line of\n    some words\n    that is\n    long",
  );
  expect(wrapped("short\n\nanother", 10)).toBe("short\n\nanother");
  expect(wrapped("unbreakable words", 5)).toBe("unbreakable\n  words");
});

test("no word is lost, and only words that are longer pass the edge", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 10, max: 60 }), (words, columns) => {
      const lines = wrapped(words.join(" "), columns).split("\n");
      expect(lines.flatMap((line) => line.trim().split(" "))).toEqual(words);
      for (const line of lines)
        if (line.trim().includes(" ")) expect(line.length).toBeLessThanOrEqual(columns);
    }),
  );
});

test("where the output is no terminal, lines stay whole", () => {
  expect(columnsOf({ columns: 80 })).toBeUndefined();
  expect(columnsOf({ isTTY: true, columns: 80 })).toBe(80);
  expect(wrapped("a b c", undefined)).toBe("a b c");
});
