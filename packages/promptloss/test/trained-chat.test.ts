// What a trained model's folder says of the chats that it was trained on, so that a server that knows nothing of the
// run lays them out alike and ends answers where training did.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { asServeError, ServeError } from "../src/serve/errors.ts";
import { runTraining } from "../src/training/run-training.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

/** Trains for a step; the folder of the model, moved away from its run. */
async function trained(name: string, keys: string): Promise<string> {
  const file = folder.recipe(name, `${keys}\ntraining: { steps: 1, batchSize: 4, precision: float32 }\n`);
  const { model } = await runTraining(readRecipe(file), { file, tokenCache: join(folder.path, "cache") });
  const moved = join(folder.path, `${name}-moved`);
  cpSync(model!, moved, { recursive: true });
  return moved;
}

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}

const messages = [{ role: "user" as const, content: "Name a colour." }];

test("Alpaca's template goes along, and chats are laid out by it far from the run", async () => {
  const moved = await trained("alpaca", "template: alpaca");
  const jinja = readFileSync(join(moved, "chat_template.jinja"), "utf8");
  expect(jinja).toContain("### Instruction:");
  expect(json(join(moved, "tokenizer_config.json")).chat_template).toBe(jinja);
  // The stop token is the one that the folder names already.
  expect(json(join(moved, "generation_config.json"))).toEqual(
    json(join(folder.path, "model", "generation_config.json")),
  );
  using away = await TextGenerator.load(moved);
  using run = await TextGenerator.load(join(folder.path, "alpaca"));
  expect([away.template.name, run.template.name]).toEqual(["tokenizer", "alpaca"]);
  // This tokenizer puts a space before texts, but not behind BOS: prompts are alike to the token all the same.
  expect(await away.promptIds({ messages })).toEqual(await run.promptIds({ messages }));
  const system = [{ role: "system" as const, content: "Be brief." }, ...messages];
  const refusal = "template alpaca: takes one user message, and neither a system message nor earlier turns";
  const error = asServeError(await run.promptIds({ messages: system }).catch((reason: unknown) => reason));
  expect(error).toBeInstanceOf(ServeError);
  expect(error).toMatchObject({
    status: 400,
    param: "messages",
    message: refusal,
    hint: "put all that the model should know into the user's message",
  });
  await expect(away.promptIds({ messages: system })).rejects.toThrow(
    "The template alpaca takes one user message, and neither a system message nor earlier turns",
  );
});

test("a stop token of the template ends answers, before those that the folder had", async () => {
  const strings = "{ user: '{instruction}=', assistant: '{output}{stop:<unk>}' }";
  const moved = await trained("strings", `template: ${strings}`);
  expect(json(join(moved, "generation_config.json")).eos_token_id).toEqual([0, 2]);
  using away = await TextGenerator.load(moved);
  using run = await TextGenerator.load(join(folder.path, "strings"));
  expect(await away.promptIds({ messages })).toEqual(await run.promptIds({ messages }));
});

test("an adapter says it too", async () => {
  const moved = await trained("adapter", "template: chatml\nlora: { rank: 2 }");
  expect(readFileSync(join(moved, "chat_template.jinja"), "utf8")).toContain("<|im_start|>");
});

test("rows without a template leave the model's own chat template", async () => {
  writeFileSync(join(folder.path, "texts.json"), JSON.stringify([{ text: "red green" }, { text: "blue" }]));
  const file = folder.recipe("texts", "training: { steps: 1, batchSize: 2, precision: float32 }\n");
  writeFileSync(file, readFileSync(file, "utf8").replace("rows.json", "texts.json"));
  const { model } = await runTraining(readRecipe(file), { file, tokenCache: join(folder.path, "cache") });
  expect(json(join(model!, "tokenizer_config.json"))).toEqual(
    json(join(folder.path, "model", "tokenizer_config.json")),
  );
});

test("the tokenizer is the one that was trained with", async () => {
  const other = join(folder.path, "other");
  cpSync(join(folder.path, "model"), other, { recursive: true });
  rmSync(join(other, "config.json"));
  const config = json(join(other, "tokenizer_config.json"));
  writeFileSync(join(other, "tokenizer_config.json"), JSON.stringify({ ...config, own: 1e30 }));
  const moved = await trained("tokenizer", "tokenizer: ./other");
  expect(json(join(moved, "tokenizer_config.json")).own).toBe(1e30);
});
