import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { alpaca, conversation, dialogue, turn } from "../../../test/examples.ts";
import { sharedPath } from "../../../test/shared.ts";
import { GOLDEN_FOLDERS, readGolden, TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { tokenizeAll } from "../../../test/tokens.ts";
import type { Example } from "../example.ts";
import { createTemplate, type TemplateSpec } from "../templates/index.ts";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.ts";
import { CLASS_CODE, type ClassifiedTokens, countClasses, encodePrompt } from "./index.ts";

const pieces = await loadTokenizer(TINY_PIECES);
const bytes = await loadTokenizer(TINY_BYTES);

function classOf({ ids, classes }: ClassifiedTokens, code: number): number[] {
  return [...ids].filter((_, i) => classes[i] === code);
}

/** The slow way to the ids of a prompt: the template's text, encoded alone as inference would. */
async function promptIds(tokenizer: Tokenizer, spec: TemplateSpec, example: Example): Promise<number[]> {
  if (example.kind !== "conversation") throw new Error("a conversation");
  return [
    ...(await encodePrompt(
      tokenizer,
      createTemplate(spec, tokenizer).renderPrompt(example.turns.slice(0, -1)),
    )),
  ];
}

describe.each(Object.entries(GOLDEN_FOLDERS).filter(([name]) => readGolden(name).chats.length > 0))(
  "%s",
  (name, folder) => {
    needs("shared", folder).test("chat ids equal apply_chat_template's", async () => {
      const tokenizer = await loadTokenizer(folder!);
      for (const golden of readGolden(name).chats) {
        if (golden.ids === undefined) continue;
        const example = conversation(...golden.messages.map(({ role, content }) => turn(role, content)));
        const { rows, report } = await tokenizeAll(tokenizer, "tokenizer", [example]);
        const ids = [...rows[0]!.ids];
        // LLaMA 3's template appends a header behind the last answer, which is not trained on.
        expect(golden.ids.slice(0, ids.length)).toEqual(ids);
        expect(ids.length).toBe(name === "llama3" ? golden.ids.length - 4 : golden.ids.length);
        expect(ids.slice(0, golden.promptIds!.length)).toEqual(golden.promptIds);
        expect(report.straddles).toBe(0);
        expect(report.completionsWithoutStop).toBe(name === "llama3" ? report.completions : 0);
        const ends = classOf(rows[0]!, CLASS_CODE.end).map((id) => tokenizer.tokenOf(id));
        expect(new Set(ends)).toEqual(
          new Set([name === "tiny-pieces" ? "</s>" : name === "llama3" ? "<|eot_id|>" : "<|im_end|>"]),
        );
      }
    });
  },
);

describe("boundaries", () => {
  needs("shared", GOLDEN_FOLDERS.llama3).test(
    "'### Response:The' in LLaMA 3 is cut and counted",
    async () => {
      const tokenizer = await loadTokenizer(GOLDEN_FOLDERS.llama3!);
      const example = alpaca("Say it.", "", "The end");
      const { rows, report } = await tokenizeAll(tokenizer, "alpaca", [
        example,
        alpaca("Say it.", "", " The end", 2),
      ]);
      const prompt = await promptIds(tokenizer, "alpaca", example);
      expect([...rows[0]!.ids].slice(0, prompt.length)).toEqual(prompt);
      expect(tokenizer.tokenOf(rows[0]!.ids[prompt.length]!)).toBe("The");
      expect(tokenizer.tokenOf(rows[1]!.ids[prompt.length]!)).toBe("ĠThe");
      expect(report).toMatchObject({
        straddles: 1,
        straddledRows: [{ file: "test.json", row: 1 }],
        completionsWithoutStop: 0,
      });
    },
  );

  test("sentencepiece: the answer gets no leading space of its own, BOS comes once", async () => {
    const { rows } = await tokenizeAll(pieces, "alpaca", [alpaca("Why?", "", "The river")]);
    const row = rows[0]!;
    expect([...row.ids].filter((id) => id === 1)).toHaveLength(1);
    expect(row.ids[0]).toBe(1);
    const completion = classOf(row, CLASS_CODE.completion).map((id) => pieces.tokenOf(id));
    expect(completion.join("")).toBe("The▁river");
    expect(classOf(row, CLASS_CODE.end)).toEqual([2]);
  });

  test("a template that writes BOS gets no second one", async () => {
    const { rows } = await tokenizeAll(pieces, "llama2", [dialogue("a", "b", "c", "d")]);
    expect([...rows[0]!.ids].filter((id) => id === 1)).toHaveLength(2);
    expect(rows[0]!.ids[1]).not.toBe(1);
  });

  test("a straddle in one turn leaves later histories retokenized, and says so", async () => {
    const glued: TemplateSpec = { user: "{instruction}", assistant: "{output}" };
    const talk = dialogue("answer the", " question", "answer t", "he question");
    const { rows, report } = await tokenizeAll(bytes, glued, [talk], { turns: [1, 2] });
    expect(report.straddles).toBeGreaterThan(0);
    expect(await bytes.decode(rows[0]!.ids)).toBe("answer the questionanswer the question");
    const both = dialogue("say t", "he answer", " and t", "he list");
    expect((await tokenizeAll(bytes, glued, [both])).report).toMatchObject({
      straddles: 2,
      retokenizedHistories: 1,
    });
  });

  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
  const words = fc.oneof(
    text,
    fc.constantFrom("the answer", "The", " the", ": x", "\n", "  ", "12 eggs", "Why?", "😀"),
  );
  test.each([
    ["alpaca", pieces],
    ["alpaca", bytes],
    ["plain", pieces],
    ["plain", bytes],
    ["llama2", pieces],
    ["chatml", bytes],
    ["tokenizer", pieces],
    ["tokenizer", bytes],
  ] as const)(
    "%s: the prompt's ids are a prefix of the row's, and nothing is lost",
    async (spec, tokenizer) => {
      await fc.assert(
        fc.asyncProperty(words, words, words, async (instruction, input, output) => {
          const example = alpaca(instruction, input, output);
          const { rows } = await tokenizeAll(tokenizer, spec, [example]);
          const row = rows[0]!;
          const prompt = await promptIds(tokenizer, spec, example);
          expect([...row.ids].slice(0, prompt.length)).toEqual(prompt);
          const isCompletion = (code: number): boolean =>
            code === CLASS_CODE.completion || code === CLASS_CODE.end;
          expect([...row.classes].slice(0, prompt.length).some(isCompletion)).toBe(false);
          const [rendering] = createTemplate(spec, tokenizer).render(example, "all");
          // Sentencepiece writes a space as ▁, so its text comes back with spaces for both, and
          // the space it puts before a word is its own.
          const comparable = (text: string): string =>
            tokenizer === pieces ? text.replaceAll("▁", " ").replace(/^<s>/, "").trimStart() : text;
          expect(comparable(await tokenizer.decode(row.ids))).toBe(comparable(rendering!.text));
          const counts = Object.values(countClasses(row.classes));
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(row.ids.length);
        }),
        { numRuns: 80 },
      );
    },
  );
});

describe("classes", () => {
  test("tokens of one character and tokens over two spans", async () => {
    const { rows } = await tokenizeAll(pieces, "alpaca", [alpaca("naïve 😀", "日本", "é😀")]);
    const text = async (code: number): Promise<string> => {
      const all = new Uint8Array(classOf(rows[0]!, code).flatMap((id) => [...pieces.bytesOf(id)]));
      return new TextDecoder().decode(all);
    };
    expect(await text(CLASS_CODE.instruction)).toBe("naïve 😀");
    expect(await text(CLASS_CODE.input)).toBe("日本");
    expect(await text(CLASS_CODE.completion)).toBe("é😀");
  });

  test("part weights reach the tokens of their part, and only them", async () => {
    const example = conversation(turn("user", "the question", 0.25), turn("assistant", "the answer"));
    const { rows } = await tokenizeAll(bytes, "chatml", [{ ...example, weight: 3 }]);
    const { classes, partWeights, rowWeight } = rows[0]!;
    expect(
      [...partWeights!].map((weight, i) =>
        classes[i] === CLASS_CODE.instruction ? weight : !Number.isNaN(weight),
      ),
    ).toEqual([...classes].map((code) => (code === CLASS_CODE.instruction ? 0.25 : false)));
    expect(rowWeight).toBe(3);
    expect((await tokenizeAll(bytes, "chatml", [dialogue("a", "b")])).rows[0]!.partWeights).toBeUndefined();
  });

  test("plain text is completion, with BOS and EOS", async () => {
    const source = { file: "t.txt", row: 1 };
    const { rows } = await tokenizeAll(pieces, "plain", [{ kind: "text", text: "the river", source }]);
    expect(rows[0]!.ids[0]).toBe(1);
    expect(rows[0]!.ids.at(-1)).toBe(2);
    expect(countClasses(rows[0]!.classes)).toMatchObject({ template: 1, end: 1, instruction: 0 });
  });
});

describe("rows that arrive tokenized", () => {
  const source = { file: "t.jsonl", row: 7 };
  test("masks and weights become classes", async () => {
    const inputIds = Int32Array.of(5, 6, 7, 2);
    const { rows } = await tokenizeAll(pieces, "plain", [
      { kind: "tokens", inputIds, completionMask: Uint8Array.of(0, 0, 1, 1), source },
      { kind: "tokens", inputIds, weights: Float32Array.of(0, 0.5, 1, 1), source },
    ]);
    const { instruction, completion, end } = CLASS_CODE;
    expect([...rows[0]!.classes]).toEqual([instruction, instruction, completion, end]);
    expect(rows[0]!.partWeights).toBeUndefined();
    expect([...rows[1]!.classes]).toEqual([instruction, completion, completion, end]);
    expect([...rows[1]!.partWeights!]).toEqual([0, 0.5, 1, 1]);
  });

  test("bad ones are refused or skipped, naming the row", async () => {
    const inputIds = Int32Array.of(5, 6);
    const bad: Example[] = [
      { kind: "tokens", inputIds, source },
      { kind: "tokens", inputIds, completionMask: Uint8Array.of(1), source },
      { kind: "tokens", inputIds: Int32Array.of(5, 99_999), completionMask: Uint8Array.of(0, 1), source },
    ];
    for (const example of bad) {
      await expect(tokenizeAll(pieces, "plain", [example])).rejects.toThrow(/^t\.jsonl, row 7: /);
    }
    const { rows, report } = await tokenizeAll(pieces, "plain", bad, { onBadRow: "skip" });
    expect(rows).toEqual([]);
    expect(report.skipped.map(({ cause }) => cause)).toEqual(["bad-tokens", "bad-tokens", "bad-tokens"]);
  });
});

describe("the report", () => {
  test("warns when answers do not end in a stop token", async () => {
    const { report } = await tokenizeAll(bytes, { user: "{instruction}", assistant: "{output}\n" }, [
      dialogue("a", "b"),
    ]);
    expect(report).toMatchObject({ completions: 1, completionsWithoutStop: 1 });
    expect(report.warnings.join()).toContain(
      "no completion ends in a stop token (<|endoftext|>, <|im_end|>)",
    );
  });

  test("counts special tokens that the data's own words bring in", async () => {
    const { report } = await tokenizeAll(bytes, "chatml", [dialogue("a<|im_end|>b", "c")]);
    expect(report.specialTokensInData).toBe(1);
    const stop = bytes.idOf("<|im_end|>")!;
    const tokenized: Example = {
      kind: "tokens",
      inputIds: Int32Array.of(stop, 5, stop),
      completionMask: Uint8Array.of(0, 1, 1),
      source: { file: "t.jsonl", row: 1 },
    };
    expect((await tokenizeAll(bytes, "plain", [tokenized])).report.specialTokensInData).toBe(0);
  });

  test("keeps order over many batches, and skips rows that the template refuses", async () => {
    const examples = Array.from({ length: 1200 }, (_, i) =>
      i % 500 === 7
        ? { ...dialogue("a", "b", "c", "d"), source: { file: "x", row: i } }
        : alpaca(`number ${i}`, "", `${i}`, i),
    );
    const { rows, report } = await tokenizeAll(bytes, "alpaca", examples, { onBadRow: "skip" });
    expect(rows.map((row) => row.source.row)).toEqual(
      examples.map(({ source }) => source.row).filter((row) => row % 500 !== 7),
    );
    expect(report.skipped.map(({ source, cause }) => [source.row, cause])).toEqual([
      [7, "template"],
      [507, "template"],
      [1007, "template"],
    ]);
    await expect(tokenizeAll(bytes, "alpaca", examples)).rejects.toThrow(/^x, row 7: template alpaca/);
  });
});

describe("AlpacaData with LLaMA's tokenizer", () => {
  const data = sharedPath("data", "instructions", "alpaca_data.json");
  const folder = sharedPath("models", "stories15M");
  needs("shared", data && folder).test("mean lengths of instruction, input and output", async () => {
    const { readFile } = await import("node:fs/promises");
    const rows = JSON.parse(await readFile(data!, "utf8")) as Record<
      "instruction" | "input" | "output",
      string
    >[];
    const tokenizer = await loadTokenizer(folder!);
    const mean = async (field: "instruction" | "input" | "output"): Promise<string> => {
      const counts = await tokenizer.countBatch(rows.map((row) => row[field]));
      return (counts.reduce((sum, count) => sum + count, 0) / rows.length).toFixed(2);
    };
    expect([await mean("instruction"), await mean("input"), await mean("output")]).toEqual([
      "13.40",
      "6.25",
      "64.51",
    ]);
  });
});
