// NF4 against tables and a matrix by numpy and scipy: test/python/normal_float_goldens.py.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  DYNAMIC_MAP,
  expandNormalFloat,
  NORMAL_FLOATS,
  normalFloatRowBytes,
  quantizeNormalFloat,
} from "./normal-float.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../test/goldens/normal-float.json", import.meta.url), "utf8"),
) as { table: number[]; map: number[]; columns: number; codes: string; scales: number[] };

function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  return Array.from(found).reduce((most, each, i) => Math.max(most, Math.abs(each - expected[i]!)), 0);
}

test("the codes' values are quantiles of the normal distribution, the scales' those of the dynamic map", () => {
  expect(NORMAL_FLOATS).toHaveLength(16);
  expect(DYNAMIC_MAP).toHaveLength(256);
  // The paper's quantiles are float32's own.
  expect(largestDifference(NORMAL_FLOATS, golden.table)).toBeLessThan(5e-7);
  expect(largestDifference(DYNAMIC_MAP, golden.map)).toBeLessThan(1e-7);
});

test("a matrix has numpy's codes and scales", () => {
  const { columns, codes, scales } = golden;
  const values = Float32Array.from(
    { length: 2 * columns },
    (_, i) => (Math.sin(i * i * 0.37) * (1 + (Math.floor(i / 64) % 11))) / 100,
  );
  const packed = quantizeNormalFloat(values, columns);
  const rowBytes = normalFloatRowBytes(columns);
  const found = [0, 1].map((row) =>
    Buffer.from(packed).toString("hex", row * rowBytes, row * rowBytes + columns / 2),
  );
  expect(found.join("")).toBe(codes);
  const expanded = expandNormalFloat(packed, columns);
  // An element's own value is its code's, times the scale of its block.
  const expected = Float32Array.from(
    expanded,
    (_, i) => NORMAL_FLOATS[Number.parseInt(codes[i]!, 16)]! * scales[Math.floor(i / 64)]!,
  );
  expect(largestDifference(expanded, expected)).toBeLessThan(1e-8);
  // Half of the widest step between two values of a block whose largest is 0.11, and what its scale is off by.
  expect(largestDifference(expanded, values)).toBeLessThan(0.11 * 0.17);
});
