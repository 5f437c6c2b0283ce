import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SafetensorsError } from "./errors.ts";
import { headerLength, parseHeader } from "./header.ts";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function parse(header: unknown, dataBytes: number): unknown {
  return parseHeader("file", bytes(typeof header === "string" ? header : JSON.stringify(header)), dataBytes);
}

function entry(dtype: string, shape: unknown, begin: unknown, end: unknown): object {
  return {
    dtype,
    shape,
    data_offsets: [begin, end],
  };
}

describe("parseHeader", () => {
  test("takes tensors that cover the data, in any order, with metadata and padding", () => {
    const header = {
      __metadata__: { format: "pt" },
      b: entry("F32", [2], 8, 16),
      a: entry("I64", [], 0, 8),
      nothing: entry("BF16", [0, 3], 16, 16),
    };
    const parsed = parseHeader("file", bytes(`${JSON.stringify(header)}    `), 16);
    expect(parsed.metadata).toEqual({ format: "pt" });
    expect([...parsed.entries.keys()]).toEqual(["b", "a", "nothing"]);
  });

  test("keeps names that JavaScript treats in its own way", () => {
    const { entries } = parseHeader(
      "file",
      bytes('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'),
      1,
    );
    expect([...entries.keys()]).toEqual(["__proto__"]);
  });

  test.each([
    ["no JSON", "{", 0, /not JSON/],
    ["no object", "[1]", 0, /no JSON object/],
    ["a name twice", '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":1}', 0, /names "a" twice/],
    [
      "a field twice",
      '{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}',
      0,
      /"dtype" twice/,
    ],
    ["an entry that is no object", { a: 1 }, 0, /tensor "a": its entry is no object/],
    ["an unknown dtype", { a: entry("Q4", [1], 0, 1) }, 1, /unknown dtype "Q4"/],
    ["a negative size", { a: entry("U8", [-1], 0, 1) }, 1, /\[-1\] is no shape/],
    ["a broken size", { a: entry("U8", [1.5], 0, 1) }, 1, /no shape/],
    [
      "sizes that overflow",
      { a: entry("U8", [2 ** 32, 2 ** 32], 0, 1) },
      1,
      /takes 18446744073709551616 bytes/,
    ],
    ["offsets in the wrong order", { a: entry("U8", [1], 1, 0) }, 1, /begins at 1, after its end/],
    ["offsets that are none", { a: entry("U8", [1], "0", 1) }, 1, /no offsets/],
    [
      "a size that differs from the place",
      { a: entry("F32", [2], 0, 4) },
      4,
      /takes 8 bytes, its place has 4/,
    ],
    ["a hole", { a: entry("U8", [1], 1, 2) }, 2, /leaves 1 bytes before it to nobody/],
    ["an overlap", { a: entry("U8", [2], 0, 2), b: entry("U8", [2], 1, 3) }, 3, /overlaps/],
    ["data that is cut off", { a: entry("U8", [4], 0, 4) }, 3, /ends at byte 4 of the data, which has 3/],
    ["bytes after the last tensor", { a: entry("U8", [1], 0, 1) }, 2, /1 bytes after the last/],
    ["metadata that is no strings", { __metadata__: { a: 1 } }, 0, /__metadata__/],
  ])("refuses %s", (_, header, dataBytes, message) => {
    expect(() => parse(header, dataBytes)).toThrow(SafetensorsError);
    expect(() => parse(header, dataBytes)).toThrow(message);
  });

  test("refuses bytes that are not UTF-8", () => {
    expect(() => parseHeader("file", Uint8Array.of(0x7b, 0xff, 0x7d), 0)).toThrow(/UTF-8/);
  });
});

describe("headerLength", () => {
  const length = (value: bigint): Uint8Array => new Uint8Array(new BigUint64Array([value]).buffer);

  test.each([
    [Uint8Array.of(1, 2), 2, /too few/],
    [length(2n ** 63n), 100, /limit/],
    [length(93n), 100, /announces a header of 93 bytes, but has 100/],
  ])("refuses %o in a file of %i bytes", (first, size, message) => {
    expect(() => headerLength("file", first, size)).toThrow(message);
  });

  test("never gives a length that the file has no room for", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.integer({ min: 8, max: 1e6 }), (value, size) => {
        try {
          expect(headerLength("file", length(value), size) + 8).toBeLessThanOrEqual(size);
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }),
    );
  });
});
