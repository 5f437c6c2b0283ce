// GGUF files that are written, read by llama.cpp itself: the ids of texts, greedy continuations, perplexities.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noGrad, scope } from "@promptloss/torch";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { createTemplate } from "../src/data/templates/index.ts";
import { loadTokenizer, type Tokenizer } from "../src/data/tokenizer/index.ts";
import { generate } from "../src/generation/index.ts";
import { turnsOf } from "../src/generation/text/prompts.ts";
import {
  createAdapter,
  type ExportType,
  exportAdapterGguf,
  exportGguf,
  loadModel,
  packSequences,
  saveAdapter,
} from "../src/models/index.ts";
import { sharedPath } from "./shared.ts";

const llamaCpp = process.env.PROMPTLOSS_LLAMA_CPP;
const model = sharedPath("models", "stories15M");
const isThere = llamaCpp !== undefined && existsSync(join(llamaCpp, "node_modules", "node-llama-cpp"));
const { describe } = needs("llamaCpp", isThere && model !== undefined);

const folder = mkdtempSync(join(tmpdir(), "gguf-llama-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly ids: number[][];
  readonly greedy: number[][];
  readonly losses: number[][];
}

async function asked(type: ExportType, what: object): Promise<Answer> {
  const file = join(folder, `${type}.gguf`);
  if (!existsSync(file)) await exportGguf(model!, file, { type });
  const program = fileURLToPath(new URL("programs/llama-cpp.mjs", import.meta.url));
  const given = JSON.stringify({ package: llamaCpp, model: file, ...what });
  const { stdout, stderr } = spawnSync(process.execPath, [program, given], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const line = stdout.split("\n").find((each) => each.startsWith("{"));
  if (line === undefined) throw new Error(`llama.cpp gave nothing: ${stdout}${stderr}`);
  return JSON.parse(line) as Answer;
}

const STARTS = [
  "Once upon a time",
  "Lily saw a big dog",
  "The sun was warm",
  "Tom wanted to play",
  "One day, a bird",
];
const MORE = ["", ", there was", " and then she", ". He said"];
const PROMPTS = STARTS.flatMap((start) => MORE.map((more) => `${start}${more}`));

/** As the model was trained on. */
const STORY =
  "Once upon a time, there was a little girl named Lily. She loved to play in the garden with her dog, Max. One day, Lily " +
  'found a shiny red ball under a big tree. She wanted to show it to her mom. "Look, Mom! I found a ball!" she said. ' +
  'Her mom smiled and said, "That is a nice ball. You can play with it, but be careful near the road." Lily and Max ' +
  "ran around the garden. Max jumped high and caught the ball in his mouth. Lily laughed and clapped her hands. When the " +
  "sun went down, they went home. Lily was tired but very happy. She gave Max a hug and went to bed.";

interface Row {
  readonly instruction: string;
  readonly input?: string;
  readonly output: string;
}

/** Stories and questions of the demo. */
function rows(): Row[] {
  const file = new URL("../../../demo/questions.jsonl", import.meta.url);
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

describe("llama.cpp", () => {
  let tokenizer: Tokenizer;
  let scored: number[][];
  beforeAll(async () => {
    tokenizer = await loadTokenizer(model!);
    scored = [[...(await tokenizer.encodeWithPrefix(STORY))]];
  });

  test("makes the same ids of texts and of rendered prompts", async () => {
    const template = createTemplate("alpaca", tokenizer);
    const rendered = rows().map(
      ({ instruction, input = "" }) => template.renderPrompt(turnsOf({ instruction, input })!.turns).text,
    );
    const texts = [...PROMPTS, ...rendered, "Ünïcödé 日本語 🤖", "a\n\nb\tc", "1234567890", "two  spaces "];
    const ours = await tokenizer.encodeIds(texts);
    expect((await asked("f32", { texts })).ids).toEqual(ours.map((ids) => [...ids]));
  });

  test("goes on from 20 prompts with the same 20 tokens, in float32", async () => {
    const prompts = await Promise.all(
      PROMPTS.map(async (text) => [...(await tokenizer.encodeWithPrefix(text))]),
    );
    const { greedy } = await asked("f32", { prompts, tokens: 20 });
    const ours = loadModel(model!, { dtype: "float32" });
    const made = await generate(ours, prompts, { maxNewTokens: 20 });
    ours.free();
    expect(greedy).toEqual(made.map(([sequence]) => [...sequence!.ids]));
  });

  test("puts an adapter over the base model as we do", async () => {
    const ours = loadModel(model!, { dtype: "float32" });
    const made = createAdapter(ours.architecture, { rank: 4, alpha: 6, rankStabilized: true }, { seed: 5 });
    noGrad(() => {
      for (const { b } of made.pairs.values()) b.uniform_(-0.03, 0.03);
    });
    const [path, lora] = [join(folder, "adapter"), join(folder, "adapter.gguf")];
    saveAdapter(made, path, { baseModel: model! });
    exportAdapterGguf(path, model!, lora, { type: "f32" });
    const prompts = await Promise.all(
      STARTS.map(async (text) => [...(await tokenizer.encodeWithPrefix(text))]),
    );
    const { greedy } = await asked("f32", { prompts, tokens: 10, lora });
    const plain = await generate(ours, prompts, { maxNewTokens: 10 });
    ours.adapter = made;
    const adapted = await generate(ours, prompts, { maxNewTokens: 10 });
    ours.free();
    made.free();
    const idsOf = (results: typeof plain): number[][] => results.map(([sequence]) => [...sequence!.ids]);
    expect(greedy).toEqual(idsOf(adapted));
    expect(greedy).not.toEqual(idsOf(plain));
  });

  test.each([
    ["f32", 0.0001],
    ["q8_0", 0.001],
    ["q4_k_m", 0.03],
  ] as const)(
    "has the perplexity of ours in float32, which a type changes by so much at most: %s",
    async (type, most) => {
      const ours = loadModel(model!, { dtype: "float32" });
      const expected = scored.map((ids) => {
        const logits = noGrad(() =>
          scope(() =>
            ours
              .logits(ours.forward(packSequences([ids])))
              .float()
              .toTypedArray("float32"),
          ),
        );
        const width = logits.length / ids.length;
        return ids.slice(1).map((id, i) => {
          const row = logits.subarray(i * width, (i + 1) * width);
          const high = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
          return Math.log(row.reduce((sum, each) => sum + Math.exp(each - high), 0)) + high - row[id]!;
        });
      });
      ours.free();
      const { losses } = await asked(type, { scored });
      const perplexity = (lists: readonly number[][]): number =>
        Math.exp(lists.flat().reduce((a, b) => a + b, 0) / lists.flat().length);
      const [theirs, own] = [perplexity(losses), perplexity(expected)];
      expect(Math.abs(theirs / own - 1), `${theirs} against ${own}`).toBeLessThan(most);
    },
  );
});
