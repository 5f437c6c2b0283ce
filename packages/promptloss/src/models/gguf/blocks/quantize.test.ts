// Blocks that are written: byte for byte Python's gguf package where that writes them, and close to what went in.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { blockTypeNamed } from "../format/block-types.ts";
import { dequantize } from "./dequantize.ts";
import { quantize } from "./quantize.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../../../test/goldens/gguf/blocks.json", import.meta.url), "utf8"),
) as { numbers: string; written: Record<string, string> };
const numbers = new Float32Array(Uint8Array.from(Buffer.from(golden.numbers, "base64")).buffer);

function packed(name: string, values: Float32Array): Uint8Array {
  const type = blockTypeNamed(name);
  const out = new Uint8Array((values.length / type.elements) * type.bytes);
  quantize(type, values, out);
  return out;
}

test.each(Object.entries(golden.written))("%s is what Python writes", (name, bytes) => {
  expect(Buffer.from(packed(name, numbers)).toString("base64")).toBe(bytes);
});

/** The root mean square of what packing changes, in that of the values. */
function change(name: string, values: Float32Array): number {
  const back = new Float32Array(values.length);
  dequantize(blockTypeNamed(name), packed(name, values), back);
  const squares = (list: Float32Array): number => list.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(values.map((value, i) => value - back[i]!)) / squares(values));
}

test("weights as models have them change by a thirteenth in Q4_K, a fiftieth in Q6_K", () => {
  // Normal variates: an even rounding of 16 levels over their range, ±2 of 32, leaves some 7.5 %.
  const normal = numbers.subarray(0, 256 * 5);
  expect(change("Q4_K", normal)).toBeLessThan(0.078);
  expect(change("Q6_K", normal)).toBeLessThan(0.02);
});

test("what fits exactly stays exact, zeros too, and no numbers break a block", () => {
  const whole = Float32Array.from({ length: 256 }, (_, i) => (i % 16) * 0.5 - 3.5);
  expect(change("Q4_K", whole)).toBeLessThan(1e-2);
  for (const name of ["Q4_K", "Q6_K", "Q8_0", "Q5_0", "Q5_1"]) {
    const back = new Float32Array(256);
    dequantize(blockTypeNamed(name), packed(name, new Float32Array(256)), back);
    expect(back.every((value) => value === 0)).toBe(true);
  }
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: -60000, max: 60000, noNaN: true }), { minLength: 256, maxLength: 256 }),
      fc.constantFrom("Q4_K", "Q6_K", "Q8_0", "Q5_0"),
      (values, name) => {
        const given = Float32Array.from(values);
        const back = new Float32Array(256);
        dequantize(blockTypeNamed(name), packed(name, given), back);
        const most = given.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
        back.forEach((value, i) => {
          // Half a step of sixteen over a range of both signs, and its scale's own rounding.
          expect(Math.abs(value - given[i]!)).toBeLessThanOrEqual(0.12 * most + 1e-7);
        });
      },
    ),
    { numRuns: 60 },
  );
});
