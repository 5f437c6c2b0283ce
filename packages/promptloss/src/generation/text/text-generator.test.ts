import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noGrad } from "@promptloss/torch";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { tinyFolder } from "../../../test/tiny-folder.ts";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import type { ConversationExample } from "../../data/example.ts";
import { plainTurn } from "../../data/rows/formats/turns.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { CLASS_CODE, ExampleTokenizer } from "../../data/tokens/index.ts";
import { createAdapter, loadModel, saveAdapter } from "../../models/index.ts";
import { generate } from "../generate.ts";
import { Conversation } from "./conversation.ts";
import type { TextPiece } from "./sequence-text.ts";
import { TextGenerator } from "./text-generator.ts";

const bytes = tinyFolder(TINY_BYTES);
const pieces = tinyFolder(TINY_PIECES);
const open: TextGenerator[] = [];
async function load(...args: Parameters<typeof TextGenerator.load>): Promise<TextGenerator> {
  const generator = await TextGenerator.load(...args);
  open.push(generator);
  return generator;
}
afterAll(() => {
  for (const generator of open) generator.free();
  for (const folder of [bytes, pieces]) rmSync(join(folder, ".."), { recursive: true });
});

describe("TextGenerator", () => {
  it("gives the model the ids that training puts before an answer", async () => {
    const templates = ["alpaca", "chatml", "llama2", "plain", "tokenizer", "Q: {instruction}\nA:{output}"];
    for (const folder of [bytes, pieces])
      for (const template of templates) {
        const generator = await load(folder, { template });
        const { tokenizer } = generator;
        const encoder = new ExampleTokenizer(tokenizer, createTemplate(template, tokenizer));
        const words = fc.string({
          unit: fc.constantFrom("a", "the ", "🙂", "\n", "x", ":", " "),
          minLength: 1,
          maxLength: 12,
        });
        await fc.assert(
          fc.asyncProperty(words, words, async (question, answer) => {
            fc.pre(question.trim() !== "" && answer.trim() !== "");
            const example: ConversationExample = {
              kind: "conversation",
              turns: [plainTurn("user", question), plainTurn("assistant", answer)],
              source: { file: "test", row: 1 },
            };
            for await (const { ids, classes } of encoder.rows([example])) {
              const prompt = [...(await generator.promptIds(question))];
              expect([...ids.subarray(0, prompt.length)]).toEqual(prompt);
              expect(classes[prompt.length]).toBe(CLASS_CODE.completion);
              expect(classes.subarray(0, prompt.length)).not.toContain(CLASS_CODE.completion);
            }
          }),
          { numRuns: 20 },
        );
      }
  });

  it("takes instructions with input and system, conversations, texts and ids", async () => {
    const generator = await load(bytes, { template: "chatml" });
    const decode = async (prompt: Parameters<typeof generator.promptIds>[0]) =>
      generator.tokenizer.decode(await generator.promptIds(prompt));
    expect(await decode({ instruction: "a", input: "b", system: "c" })).toBe(
      "<|im_start|>system\nc<|im_end|>\n<|im_start|>user\na\nb<|im_end|>\n<|im_start|>assistant\n",
    );
    expect(
      await decode({
        messages: [
          { role: "user", content: "a" },
          { role: "assistant", content: "b" },
          { role: "user", content: "c" },
        ],
      }),
    ).toMatch(/b<\|im_end\|>\n<\|im_start\|>user\nc<\|im_end\|>\n<\|im_start\|>assistant\n$/);
    expect(await decode({ text: "a b" })).toBe("a b");
    expect([...(await generator.promptIds({ ids: [7, 8] }))]).toEqual([7, 8]);
    await expect(generator.promptIds({ wrong: 1 } as never)).rejects.toThrow("prompt 1: is not a prompt");
    await expect(generator.promptIds({ messages: [{ role: "assistant", content: "a" }] })).rejects.toThrow(
      "the last message is not the user's",
    );
  });

  it("streams the text that it gives at once, cut before a stop string across tokens", async () => {
    const generator = await load(bytes, { template: "plain" });
    const [whole] = await generator.generate(["the"], { maxNewTokens: 40 });
    const { text } = whole!.sequences[0]!;
    // Four letters out of the middle: a stop string that nothing keeps to one token.
    const middle = Math.floor(text.length / 2);
    const stop = text.slice(middle, middle + 4);
    const cut = text.slice(0, text.indexOf(stop));
    const seen: TextPiece[] = [];
    const stream = generator.stream("the", { maxNewTokens: 40, stop });
    let next = await stream.next();
    for (; !next.done; next = await stream.next()) seen.push(next.value);
    expect(seen.map((piece) => piece.text).join("")).toBe(cut);
    expect(seen.length).toBeGreaterThan(1);
    expect(next.value.sequences[0]).toMatchObject({ text: cut, finishReason: "stop", stopReason: stop });
    const [again] = await generator.generate(["the"], { maxNewTokens: 40, stop });
    expect(again!.sequences[0]).toEqual(next.value.sequences[0]);
    // The words that lead to the stop string are among the ids.
    expect(again!.sequences[0]!.ids.length).toBeLessThan(40);
    expect(await generator.tokenizer.decode([...again!.sequences[0]!.ids])).toContain(stop);
  });

  it("ends beams at stop strings too", async () => {
    const generator = await load(bytes, { template: "plain" });
    // The shortest win: those that end at the stop string.
    const settings = { maxNewTokens: 12, beams: 3, sequences: 3, lengthPenalty: -1 };
    const [plain] = await generator.generate(["the"], settings);
    const stop = plain!.sequences[0]!.text.slice(2, 4);
    const [stopped] = await generator.generate(["the"], { ...settings, stop });
    for (const { text } of stopped!.sequences) expect(text).not.toContain(stop);
    const ended = stopped!.sequences.filter(({ stopReason }) => stopReason === stop);
    expect(ended.length).toBeGreaterThan(0);
    for (const { ids, text } of ended)
      expect(await generator.tokenizer.decode([...ids])).toContain(`${text}${stop}`);
  });

  it("stops at the template's stop token and at special tokens by name, and writes none of them", async () => {
    const generator = await load(bytes, { template: "chatml" });
    const settings = { maxNewTokens: 60, temperature: 3, seed: 5, sequences: 40 };
    const [result] = await generator.generate(["the"], { ...settings, stop: "<|im_start|>" });
    const reasons = new Set(result!.sequences.map(({ stopReason }) => stopReason));
    // <|endoftext|>, <|im_start|>, <|im_end|>; 40 flat draws of 60 tokens of 515 meet each of them.
    expect([...reasons].filter((reason) => reason !== undefined).sort()).toEqual([0, 1, 2]);
    for (const { text } of result!.sequences) expect(text).not.toContain("<|");
    const [kept] = await generator.generate(["the"], { ...settings, stopIds: [9], keepSpecialTokens: true });
    expect(kept!.sequences.some(({ text }) => text.includes("<|im_start|>"))).toBe(true);
  });

  it("stops where the template ends answers, by a token or by words", async () => {
    const plain = await load(bytes, { template: "plain" });
    const [whole] = await plain.generate(["the"], { maxNewTokens: 40 });
    const { text } = whole!.sequences[0]!;
    const words = /^.{3,}?([a-z]{2})/s.exec(text)![1]!;
    const worded = await load(bytes, { template: `{instruction}{output}{stop:${words}}` });
    const [cut] = await worded.generate(["the"], { maxNewTokens: 40 });
    expect(cut!.sequences[0]).toMatchObject({ text: text.slice(0, text.indexOf(words)), stopReason: words });
    const marked = await load(bytes, { template: "{instruction}{output}{stop:<|im_start|>}" });
    const settings = { maxNewTokens: 60, temperature: 3, sequences: 40 };
    const [drawn] = await marked.generate(["the"], settings);
    expect(drawn!.sequences.map(({ stopReason }) => stopReason)).toContain(1);
  });

  it("leaves a stop token's words out, special or not", async () => {
    const generator = await load(bytes, { template: "plain" });
    const [whole] = await generator.generate(["the"], { maxNewTokens: 12 });
    const { ids } = whole!.sequences[0]!;
    const stop = ids[6]!;
    const length = ids.indexOf(stop) + 1;
    const options = { maxNewTokens: 12, stopIds: [stop] };
    const expected = {
      text: (await generator.generate(["the"], { maxNewTokens: length - 1 }))[0]!.sequences[0]!.text,
      ids: ids.slice(0, length),
    };
    const [atOnce] = await generator.generate(["the"], options);
    expect(atOnce!.sequences[0]).toMatchObject({ ...expected, stopReason: stop });
    const [heard] = await generator.generate(["the"], { ...options, onText: () => {} });
    expect(heard!.sequences[0]).toMatchObject({ ...expected, stopReason: stop });
  });

  it("leaves no work behind when the loop is left, and passes errors on", async () => {
    const generator = await load(bytes, { template: "plain" });
    let heard = 0;
    const onText = (): void => void heard++;
    for await (const piece of generator.stream("the", { maxNewTokens: 400, onText })) {
      expect(piece.text).not.toBe("");
      break;
    }
    // A few steps may pass before the end is seen; all 400 would not have been.
    expect(heard).toBeLessThan(20);
    await expect(generator.stream("a".repeat(2000)).next()).rejects.toThrow("the model reads 512");
  });

  it("takes defaults from generation_config.json", async () => {
    const folder = tinyFolder(TINY_BYTES, {
      generation: { do_sample: true, temperature: 2, top_k: 40, max_new_tokens: 5, no_repeat_ngram_size: 2 },
    });
    const generator = await load(folder, { template: "plain" });
    const texts = async (options = {}) =>
      (await generator.generate(["the", "the"], options)).map(({ sequences }) => sequences[0]!);
    const [a, b] = await texts();
    expect(a!.ids).toHaveLength(5);
    expect(a!.text).not.toBe(b!.text);
    const [c, d] = await texts({ temperature: 0 });
    expect(c).toEqual(d);
    expect(generator.notes).toEqual([
      "generation_config.json: no_repeat_ngram_size is not supported and has no effect",
    ]);
  });

  it("takes a training run with its template, an adapter with its model", async () => {
    const run = mkdtempSync(join(tmpdir(), "promptloss-run-"));
    writeFileSync(join(run, "manifest.json"), JSON.stringify({ recipe: { template: "chatml" } }));
    await expect(load(run)).rejects.toThrow("the run has written no model yet");
    cpSync(bytes, join(run, "model"), { recursive: true });
    expect((await load(run)).template.name).toBe("chatml");
    expect((await load(join(run, "model"))).template.name).toBe("chatml");
    expect((await load(join(run, "model"), { template: "alpaca" })).template.name).toBe("alpaca");

    const base = loadModel(bytes);
    const adapter = createAdapter(base.architecture, { rank: 2, alpha: 64 });
    noGrad(() => {
      for (const { b } of adapter.pairs.values()) b.fill_(0.3);
    });
    saveAdapter(adapter, join(run, "lora"), { baseModel: bytes });
    base.adapter = adapter;
    const prompt = { ids: [5, 6, 7] };
    const settings = { maxNewTokens: 8, minNewTokens: 8 };
    const own = await generate(base, [prompt.ids], { ...settings, stopIds: [0, 2] });
    for (const generator of [
      await load(join(run, "lora")),
      await load(bytes, { adapter: join(run, "lora") }),
    ]) {
      const [result] = await generator.generate([prompt], settings);
      expect(result!.sequences[0]!.ids).toEqual(own[0]![0]!.ids);
    }
    base.free();

    mkdirSync(join(run, "lost"));
    writeFileSync(
      join(run, "lost", "adapter_config.json"),
      JSON.stringify({ base_model_name_or_path: "no/such/folder" }),
    );
    await expect(load(join(run, "lost"))).rejects.toThrow('its model, "no/such/folder", is not here');
  });
});

describe("Conversation", () => {
  const settings = { maxNewTokens: 6 };
  const say = async (conversation: Conversation, message: string): Promise<string> => {
    let text = "";
    for await (const piece of conversation.say(message, settings)) text += piece.text;
    return text;
  };

  it("puts before a message what was said", async () => {
    const generator = await load(bytes, { template: "chatml" });
    const conversation = new Conversation(generator, { system: "be kind" });
    const first = await say(conversation, "a");
    const second = await say(conversation, "b");
    const turns = conversation.turns.map(({ role, content }) => `${role}: ${content}`);
    expect(turns).toEqual([
      "system: be kind",
      "user: a",
      `assistant: ${first}`,
      "user: b",
      `assistant: ${second}`,
    ]);
    const [expected] = await generator.generate([{ messages: conversation.turns.slice(0, 4) }], settings);
    expect(second).toBe(expected!.sequences[0]!.text);
    await expect(say(conversation, "x".repeat(3000))).rejects.toThrow("the model reads 512");
    expect(conversation.turns).toHaveLength(5);
    conversation.reset();
    expect(await say(conversation, "a")).toBe(first);
  });

  it("lets messages stand alone with a template for one exchange", async () => {
    const conversation = new Conversation(await load(bytes, { template: "alpaca" }));
    expect(conversation.remembers).toBe(false);
    const first = await say(conversation, "a");
    await say(conversation, "b");
    expect(await say(conversation, "a")).toBe(first);
  });
});
