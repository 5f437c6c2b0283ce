// Answers to instructions: where they are kept, what they go on from, how long a prompt may be. The model is a function.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TextGenerator } from "../../generation/index.ts";
import { type Answer, answerRows } from "./answer-rows.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "promptloss-answers-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const CONTEXT = 20;

/** Reads a code unit a token, and answers with what it read. */
function echo() {
  const asked: string[][] = [];
  const options: object[] = [];
  const generator = {
    contextLength: CONTEXT,
    promptIds: async ({ instruction, input = "" }: { instruction: string; input?: string }) =>
      Int32Array.from([...`${instruction}|${input}`].map((letter) => letter.charCodeAt(0))),
    generate: async (prompts: { ids: Int32Array }[], given: object) => {
      const texts = prompts.map(({ ids }) => String.fromCharCode(...ids));
      asked.push(texts);
      options.push(given);
      return texts.map((text) => ({ sequences: [{ text: `echo ${text}`, ids: new Int32Array(3) }] }));
    },
  } as unknown as TextGenerator;
  return { generator, asked, options };
}

const rows = Array.from({ length: 20 }, (_, i) => ({ instruction: `q${i}`, input: i === 1 ? "x" : "" }));
function outputs(answers: readonly Answer[] | undefined) {
  return answers?.map(({ output }) => output);
}
const all = rows.map(({ instruction, input }) => `echo ${instruction}|${input}`);

test("answers in order, greedily, and keeps them", async () => {
  const { generator, asked, options } = echo();
  const file = join(folder, "new/answers.jsonl");
  const answers = await answerRows(rows, generator, { file, identity: "m", maxNewTokens: 4, beams: 2 });
  expect(outputs(answers)).toEqual(all);
  expect(answers![0]).toEqual({ output: "echo q0|", length: 3, truncated: false });
  expect(asked.map(({ length }) => length)).toEqual([16, 4]);
  expect(options[0]).toMatchObject({ maxNewTokens: 4, temperature: 0, beams: 2, repetitionPenalty: 1 });
});

test("goes on from whole lines, and begins anew for another model, other rows or other settings", async () => {
  const file = join(folder, "kept.jsonl");
  const ask = async (change: object = {}, of = rows) => {
    const { generator, asked } = echo();
    const answers = await answerRows(of, generator, { file, identity: "m", maxNewTokens: 4, ...change });
    expect(outputs(answers)).toEqual(of === rows ? all : outputs(answers));
    return asked.flat().length;
  };
  expect(await ask()).toBe(20);
  expect(await ask()).toBe(0);
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, `${lines.slice(0, 6).join("\n")}\n`);
  appendFileSync(file, '{"output": "to');
  expect(await ask()).toBe(15);
  expect(await ask({ identity: "trained again" })).toBe(20);
  expect(await ask({ identity: "trained again", repetitionPenalty: 1.2 })).toBe(20);
  expect(await ask({ identity: "trained again", repetitionPenalty: 1.2 }, rows.slice(0, 3))).toBe(3);
});

test("a prompt is cut from the left to leave room for the answer, at most half of the context", async () => {
  const { generator, asked, options } = echo();
  const long = [{ instruction: "abcdefghijklmnop", input: "" }];
  const answers = await answerRows(long, generator, {
    file: join(folder, "long.jsonl"),
    identity: "m",
    maxNewTokens: 512,
  });
  expect(options[0]).toMatchObject({ maxNewTokens: CONTEXT / 2 });
  expect(asked).toEqual([["hijklmnop|"]]);
  expect(answers![0]!.truncated).toBe(true);
});

test("a signal keeps what whole batches gave", async () => {
  const file = join(folder, "cut.jsonl");
  const { generator } = echo();
  const abort = new AbortController();
  const original = generator.generate.bind(generator);
  let batches = 0;
  generator.generate = async (...args) => {
    if (++batches === 2) abort.abort();
    return original(...args);
  };
  const options = { file, identity: "m", maxNewTokens: 4 };
  expect(await answerRows(rows, generator, { ...options, signal: abort.signal })).toBeUndefined();
  const after = echo();
  expect(outputs(await answerRows(rows, after.generator, options))).toEqual(all);
  expect(after.asked.flat()).toHaveLength(4);
});
