// Blocks against Python's gguf package, bit for bit: test/python/gguf_goldens.py.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BLOCK_TYPES, blockTypeNamed } from "../format/block-types.ts";
import { dequantize } from "./dequantize.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../../../test/goldens/gguf/blocks.json", import.meta.url), "utf8"),
) as { read: Record<string, { bytes: string; values: string }> };

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

test("every type that is read has a golden, but float32 itself", () => {
  const names = BLOCK_TYPES.map(({ name }) => name).filter((name) => name !== "F32");
  expect(Object.keys(golden.read).sort()).toEqual(names.sort());
});

test.each(Object.entries(golden.read))("%s", (name, { bytes, values }) => {
  const type = blockTypeNamed(name);
  const given = bytesOf(bytes);
  const out = new Float32Array((given.length / type.bytes) * type.elements);
  dequantize(type, given, out);
  const expected = new Float32Array(bytesOf(values).buffer);
  expect(out.length).toBe(expected.length);
  // By their bits, but for the sign of a zero: whether −0 is one, no sum or product shows.
  const bits = (numbers: Float32Array): Uint32Array =>
    new Uint32Array(numbers.map((value) => (value === 0 ? 0 : value)).buffer);
  expect(bits(out)).toEqual(bits(expected));
});

test("bytes that are no whole blocks are a caller's mistake", () => {
  expect(() => dequantize(blockTypeNamed("Q8_0"), new Uint8Array(33), new Float32Array(32))).toThrow(
    RangeError,
  );
});
