// Draws against Python's own: test/python/evaluation_random.py.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PythonRandom } from "./python-random.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../../test/goldens/evaluation/random.json", import.meta.url), "utf8"),
) as {
  samples: [size: number, count: number, drawn: number[]][];
  random: number[];
  choices: number[];
  first: Record<string, number>;
};

test("one generator draws what Python's draws", () => {
  const generator = new PythonRandom(1234);
  for (const [size, count, drawn] of golden.samples)
    expect(
      generator.sample(
        Array.from({ length: size }, (_, i) => i),
        count,
      ),
    ).toEqual(drawn);
  expect(Array.from({ length: 1300 }, () => generator.random()).slice(-3)).toEqual(golden.random);
  expect(generator.choices(1119, 8)).toEqual(golden.choices);
});

test.each(Object.entries(golden.first))("seed %s", (seed, first) => {
  expect(new PythonRandom(Number(seed)).random()).toBe(first);
});

test("more than there is", () => {
  expect(() => new PythonRandom(0).sample([1, 2], 3)).toThrow(RangeError);
});
