import fc from "fast-check";
import { expect, test } from "vitest";
import type { Example } from "../data/example.ts";
import { DuplicateCounter } from "./duplicates.ts";
import { HashSet, TextHash } from "./text-hash.ts";

const source = { file: "a", row: 1 };

function turns(instruction: string, input: string, output: string): Example {
  return {
    kind: "conversation",
    turns: [
      {
        role: "user",
        parts: [
          { class: "instruction", text: instruction },
          { class: "input", text: input },
        ],
      },
      { role: "assistant", parts: [{ class: "completion", text: output }] },
    ],
    source,
  };
}

test("rows and prompts that come again are counted as sets of strings would", () => {
  // Few letters, so that much comes again and borders between parts matter.
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 2 });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text, text), { maxLength: 40 }), (rows) => {
      const counter = new DuplicateCounter();
      for (const row of rows) counter.add(turns(...row));
      const distinct = (of: (row: readonly string[]) => readonly string[]): number =>
        new Set(rows.map((row) => JSON.stringify(of(row)))).size;
      expect(counter.finish()).toEqual({
        rows: rows.length - distinct((row) => row),
        prompts: rows.length - distinct((row) => row.slice(0, 2)),
      });
    }),
  );
});

test("plain text and tokens have no prompts", () => {
  const counter = new DuplicateCounter();
  for (const text of ["a", "b", "a"]) counter.add({ kind: "text", text, source });
  counter.add({ kind: "tokens", inputIds: Int32Array.of(1, 2), source });
  expect(counter.finish()).toEqual({ rows: 1, prompts: 0 });
});

test("a hundred thousand texts that are nearly alike have as many hashes, spread over all bits", () => {
  const set = new HashSet();
  const ones = new Array<number>(64).fill(0);
  for (let i = 0; i < 100_000; i++) {
    const [a, b] = new TextHash().add(`Write sentence number ${i}.`).value;
    set.add([a, b]);
    for (let bit = 0; bit < 32; bit++) {
      ones[bit]! += (a >>> bit) & 1;
      ones[32 + bit]! += (b >>> bit) & 1;
    }
  }
  expect(set.size).toBe(100_000);
  // A fair coin's count of ones lies within five standard deviations, 158 each, of the half.
  for (const count of ones) expect(Math.abs(count - 50_000)).toBeLessThan(5 * 158);
});

test("a set holds the hash of two zeros, once", () => {
  const set = new HashSet();
  for (let i = 0; i < 3; i++) set.add([0, 0]);
  expect(set.size).toBe(1);
});
