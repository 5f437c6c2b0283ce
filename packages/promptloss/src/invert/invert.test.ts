import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TINY_BYTES } from "../../test/tokenizers.ts";
import type { ConversationExample } from "../data/example.ts";
import { loadTokenizer } from "../data/tokenizer/index.ts";
import { PromptlossError } from "../errors.ts";
import { type Candidate, chooseRows, ratioOf, type Sides } from "./choose-rows.ts";
import { invertExamples } from "./invert.ts";
import { checkWording, DEFAULT_WORDING, invertRow } from "./invert-rows.ts";
import { sampleRows } from "./sample-rows.ts";

describe("invertRow", () => {
  test("gives the output and asks for the prompt", () => {
    expect(invertRow({ instruction: "Add.", input: "1, 2", output: "3" }, DEFAULT_WORDING)).toEqual({
      instruction: "Predict the prompt that generated the following AI output.",
      input: "3",
      output: "Add.\n\n1, 2",
    });
  });

  test("leaves the input's lines out where there is none, and placeholders in the data alone", () => {
    const row = { instruction: "Explain {input}.", input: "", output: "It is a name." };
    expect(invertRow(row, DEFAULT_WORDING).output).toBe("Explain {input}.");
    expect(invertRow({ ...row, input: "$& {instruction}" }, DEFAULT_WORDING).output).toBe(
      "Explain {input}.\n\n$& {instruction}",
    );
  });

  test.each([
    [{ ...DEFAULT_WORDING, output: "{input}" }, /lacks \{instruction\}/],
    [{ ...DEFAULT_WORDING, output: "{instruction} {output}" }, /holds \{output\}/],
    [{ ...DEFAULT_WORDING, instruction: " " }, /is empty/],
  ])("refuses the wording %o", (wording, message) => {
    expect(() => checkWording(wording)).toThrow(message);
  });
});

describe("chooseRows", () => {
  const size = fc.integer({ min: 1, max: 300 });
  const sides = fc.record({ prompt: size, completion: size });
  // An inverted row swaps its sides, with the new instruction's 12 tokens on the prompt.
  const candidates = fc.array(sides, { minLength: 1, maxLength: 60 }).map((rows) =>
    rows.map(
      (before): Candidate => ({
        before,
        after: { prompt: before.completion + 12, completion: before.prompt },
      }),
    ),
  );

  test("inverts all long rows and no other without a target", () => {
    fc.assert(
      fc.property(candidates, fc.nat(), (rows, seed) => {
        const chosen = chooseRows(rows, { onlyLong: true, seed });
        expect(chosen).toEqual(rows.map(({ before }) => before.completion >= before.prompt));
        expect(chooseRows(rows, { onlyLong: false, seed }).every(Boolean)).toBe(true);
      }),
    );
  });

  test("comes as near to a target as one row more or less allows, the same for the same seed", () => {
    fc.assert(
      fc.property(candidates, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (rows, seed, at) => {
        const start = ratioOf(rows.map(({ before }) => before));
        const all = chooseRows(rows, { onlyLong: true, seed });
        const end = ratioOf(rows.map(({ before, after }, i) => (all[i] ? after : before)));
        const targetRatio = Math.min(
          Math.max(start + at * (end - start), Math.min(start, end)),
          Math.max(start, end),
        );
        const options = { onlyLong: true, targetRatio, seed };
        const chosen = chooseRows(rows, options);
        expect(chooseRows(rows, options)).toEqual(chosen);
        const ratio = ratioOf(rows.map(({ before, after }, i) => (chosen[i] ? after : before)));
        const off = (value: number): number => Math.abs(Math.log(value / targetRatio));
        expect(off(ratio)).toBeLessThanOrEqual(Math.min(off(start), off(end)) + 1e-9);
        for (const i of chosen.keys()) if (chosen[i]) expect(all[i]).toBe(true);
      }),
    );
  });

  test("refuses a target that inverting can't reach", () => {
    const rows = [{ before: { prompt: 10, completion: 30 }, after: { prompt: 40, completion: 10 } }];
    for (const targetRatio of [0.1, 4, 0, Number.NaN])
      expect(() => chooseRows(rows, { onlyLong: true, targetRatio, seed: 0 })).toThrow(PromptlossError);
  });
});

describe("sampleRows", () => {
  const size = fc.integer({ min: 1, max: 300 });
  const sides = fc.array(fc.record({ prompt: size, completion: size }), { minLength: 2, maxLength: 60 });
  const ownRatio = ({ prompt, completion }: Sides): number => completion / prompt;

  test("comes as near to a target as one row more or less allows, leaving out one side's rows only", () => {
    fc.assert(
      fc.property(sides, fc.nat(), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (rows, seed, at) => {
        const ratios = rows.map(ownRatio);
        const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
        fc.pre(least < most);
        const targetRatio = least + at * (most - least);
        const kept = sampleRows(rows, { targetRatio, seed });
        expect(sampleRows(rows, { targetRatio, seed })).toEqual(kept);
        const left = rows.filter((_, i) => kept[i]);
        expect(left.length).toBeGreaterThan(0);
        const excess = (some: readonly Sides[]): number =>
          some.reduce((sum, row) => sum + row.completion - targetRatio * row.prompt, 0);
        // Within one row of the target: the next to be left out would have crossed it.
        const beyond = rows.filter((row) => Math.sign(excess([row])) === Math.sign(excess(rows)));
        const largest = Math.max(0, ...beyond.map((row) => Math.abs(excess([row]))));
        expect(Math.abs(excess(left))).toBeLessThanOrEqual(largest / 2 + 1e-6);
        for (const [i, row] of rows.entries()) if (!kept[i]) expect(beyond).toContain(row);
      }),
    );
  });

  test("keeps all rows where they have the ratio already, and says what can't be reached", () => {
    const rows = [
      { prompt: 10, completion: 30 },
      { prompt: 30, completion: 10 },
    ];
    expect(sampleRows(rows, { targetRatio: 1, seed: 0 })).toEqual([true, true]);
    for (const targetRatio of [3.1, 0.3, 0, Number.NaN])
      expect(() => sampleRows(rows, { targetRatio, seed: 0 })).toThrow(PromptlossError);
  });
});

describe("invertExamples", async () => {
  const tokenizer = await loadTokenizer(TINY_BYTES);
  const exchange = (instruction: string, output: string): ConversationExample => ({
    kind: "conversation",
    turns: [
      { role: "user", parts: [{ class: "instruction", text: instruction }] },
      { role: "assistant", parts: [{ class: "completion", text: output }] },
    ],
    source: { file: "rows.json", row: 1 },
  });

  test("inverts the long rows and reports the ratio before and after", async () => {
    const long = exchange("Tell a story.", "Once upon a time there was a king who had a castle on a hill.");
    const short = exchange("Which of these two words is the longer one, king or castle?", "castle");
    const { rows, report } = await invertExamples([long, short], { tokenizer });
    expect(rows[0]).toMatchObject({ output: "Tell a story.", input: expect.stringMatching(/^Once upon/) });
    expect(rows[1]).toMatchObject({ output: "castle", input: "" });
    expect([report.rows, report.inverted]).toEqual([2, 1]);
    expect(report.after.generationRatio).toBeLessThan(report.before.generationRatio);
  });

  test("reaches a ratio by leaving rows out, without changing any", async () => {
    const long = exchange("Tell a story.", "Once upon a time there was a king who had a castle on a hill.");
    const short = exchange("Which of these two words is the longer one, king or castle?", "castle");
    const { rows, report } = await invertExamples([long, short, long, short], {
      tokenizer,
      by: "sampling",
      targetRatio: 0.12,
    });
    expect(rows.map(({ output }) => output)).toEqual(["castle", "castle"]);
    expect(report).toMatchObject({ rows: 4, inverted: 0, leftOut: 2, by: "sampling" });
    expect(report.after.generationRatio).toBeLessThan(0.2);
    await expect(invertExamples([long], { tokenizer, by: "sampling" })).rejects.toThrow(/no target/);
  });

  test("refuses conversations of several turns by file and row", async () => {
    const one = exchange("Hello", "Hi");
    const many = { ...one, turns: [...one.turns, ...one.turns] };
    await expect(invertExamples([many], { tokenizer })).rejects.toThrow(
      /^rows\.json, row 1: the row has the turns user assistant user assistant/,
    );
  });
});
