// A T5 through the program: trained with each objective for prompts, saved, asked and scored; and what is refused.
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { MetricsLine } from "../src/training/events/metrics-file.ts";
import { program } from "./command.ts";
import { startServing } from "./serving.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const T5 = {
  model_type: "t5",
  architectures: ["T5ForConditionalGeneration"],
  d_model: 32,
  d_kv: 16,
  d_ff: 48,
  num_layers: 2,
  num_heads: 2,
  pad_token_id: 0,
  decoder_start_token_id: 0,
  eos_token_id: 2,
  dropout_rate: 0.05,
  initializer_factor: 0.3,
  dtype: "float32",
};

const COLORS = ["red", "green", "blue"];

const CHOICE_TASK = `task: choices
kind: multiple-choice
data: {test: choices.jsonl}
context: "{{q}}"
choices: choices
gold: "{{answer}}"
metrics: [acc]
`;

const ANSWER_TASK = `task: answers
kind: generation
data: {test: choices.jsonl}
context: "{{q}}"
reference: " {{choices[answer]}}"
until: ["."]
maxNewTokens: 6
metrics: [chrf]
`;

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder((vocabulary) => ({ ...T5, vocab_size: vocabulary }));
  // T5's tokens for spans, beside the small tokenizer's own.
  const file = join(folder.path, "model", "tokenizer.json");
  const tokenizer = JSON.parse(readFileSync(file, "utf8"));
  const first = Object.keys(tokenizer.model.vocab).length + tokenizer.added_tokens.length;
  const taken = new Set(Object.values(tokenizer.model.vocab as Record<string, number>));
  const free = Array.from({ length: 8 }, (_, i) => first - tokenizer.added_tokens.length + i).filter(
    (id) => !taken.has(id) && !tokenizer.added_tokens.some((token: { id: number }) => token.id === id),
  );
  free.slice(0, 4).forEach((id, i) => {
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    tokenizer.added_tokens.push({ id, content: `<extra_id_${i}>`, ...flags });
  });
  writeFileSync(file, JSON.stringify(tokenizer));
});
afterAll(() => folder.remove());

function promptloss(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: folder.path,
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: join(folder.path, "cache") },
  });
}

function metricsOf(run: string): MetricsLine[] {
  const text = readFileSync(join(folder.path, run, "metrics.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function recipe(name: string, loss: string, training = "epochs: 12"): string {
  return folder.recipe(
    name,
    `loss: { ${loss} }
training: { ${training}, batchSize: 8, learningRate: 1e-2, precision: float32, logEvery: 4 }
evaluation: { rows: 4, every: epoch }
`,
  );
}

function configOf(run: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder.path, run, "model", "config.json"), "utf8"));
}

test("learns completions, saves a model of its kind, and is asked and resumed", () => {
  const file = recipe("plain", "promptLossWeight: 0");
  const { status, stderr } = promptloss("train", file);
  expect(stderr).not.toContain("Error");
  expect(status).toBe(0);
  const steps = metricsOf("plain").filter((line) => line.type === "step");
  const [first, last] = [steps[0]!, steps.at(-1)!] as { completion?: { loss: number }; prompt?: object }[];
  expect(last!.completion!.loss).toBeLessThan(0.7 * first!.completion!.loss);
  // Nothing predicts the prompt.
  expect(first!.prompt).toBeUndefined();
  expect(configOf("plain").prompt_objective).toBeUndefined();
  const asked = promptloss("generate", join("plain", "model"), "Say red.", "--max-new-tokens", "8", "--json");
  expect(asked.status).toBe(0);
});

/** Of prompts and completions, of the first logged step. */
function firstStep(run: string): {
  prompt?: { loss: number; tokens: number };
  completion?: { tokens: number };
} {
  return metricsOf(run).find((line) => line.type === "step") as never;
}

test("restores spans of the prompt, or reads and predicts all of it before the completion", () => {
  for (const objective of ["denoise", "reconstruct"]) {
    const file = recipe(objective, `promptLossWeight: 0.2, promptObjective: ${objective}`, "steps: 6");
    const { status, stderr } = promptloss("train", file);
    expect([objective, status, stderr]).toEqual([objective, 0, expect.anything()]);
    expect(configOf(objective).prompt_objective).toBe(objective);
    const asked = promptloss("generate", join(objective, "model"), "Say red.", "--max-new-tokens", "4");
    expect(asked.status).toBe(0);
  }
  const [spans, whole] = [firstStep("denoise"), firstStep("reconstruct")];
  expect(spans.completion!.tokens).toBe(whole.completion!.tokens);
  // Fifteen of a hundred tokens, with sentinels around them.
  expect(spans.prompt!.tokens).toBeLessThan(whole.prompt!.tokens / 2);
  expect(spans.prompt!.tokens).toBeGreaterThan(whole.prompt!.tokens / 10);
});

test("rows cut to a BART's length leave room for what begins and ends each side", () => {
  const sides = ["encoder", "decoder"].map((side) => ({
    [`${side}_layers`]: 1,
    [`${side}_attention_heads`]: 2,
    [`${side}_ffn_dim`]: 32,
  }));
  const bart = trainingFolder((vocabulary) =>
    Object.assign(
      { model_type: "bart", architectures: ["BartForConditionalGeneration"], d_model: 16, dtype: "float32" },
      { vocab_size: vocabulary, max_position_embeddings: 24, decoder_start_token_id: 2, eos_token_id: 2 },
      ...sides,
    ),
  );
  try {
    for (const overflow of ["truncate-prompt", "truncate-completion"]) {
      const file = bart.recipe(
        overflow,
        `overflow: ${overflow}
loss: { promptLossWeight: 0.2, promptObjective: reconstruct }
training: { steps: 2, batchSize: 8, learningRate: 1e-3, precision: float32 }
`,
      );
      const { status, stderr } = promptloss("train", file);
      expect([overflow, status, status === 0 ? "" : stderr]).toEqual([overflow, 0, ""]);
    }
    const long = promptloss("train", join(bart.path, "truncate-prompt.yaml"), "--set", "maxLength=24");
    expect(long.stderr).toContain("maxLength: 24 is more than the 23 tokens that");
  } finally {
    bart.remove();
  }
});

test("preview and inspect show both sides", () => {
  const shown = (command: string, objective: string): string => {
    const file = recipe("shown", `promptLossWeight: 0.2, promptObjective: ${objective}`);
    const more = command === "preview" ? ["--rows", "2"] : [];
    const { status, stdout, stderr } = promptloss(command, file, ...more);
    expect([status, stderr]).toEqual([0, expect.anything()]);
    return stdout;
  };
  const spans = shown("preview", "denoise");
  expect(spans).toMatch(/row 2 {2}\d+ tokens, the encoder reads \d+, the decoder predicts \d+\n/);
  expect(spans).toMatch(
    /row 2 {2}\d+ tokens, its prompt without some spans, which the decoder restores, the encoder reads \d+/,
  );
  // What the encoder reads weighs nothing; the decoder begins with the first sentinel.
  expect(spans).toMatch(/ 0 {2}template {5}\|<s>\|/);
  expect(spans).toMatch(/0\.2 {2}template {5}\|<extra_id_0>\|/);
  expect(spans).toMatch(/instruction {7}5 {8}0 {7}0 /);
  expect(shown("preview", "reconstruct")).not.toContain("the encoder reads");
  expect(shown("inspect", "denoise").replace(/\s+/g, " ")).toContain(
    "spans of the prompt, about 15 % of its tokens",
  );
});

test("what an encoder makes no sense of is refused by its key", () => {
  const refused = (name: string, loss: string, training?: string): string => {
    const { status, stderr } = promptloss("train", recipe(name, loss, training), "--dry-run");
    expect(status, stderr).not.toBe(0);
    return stderr;
  };
  expect(refused("weighted", "promptLossWeight: 0.1")).toContain("loss.promptLossWeight");
  expect(refused("classes", "promptLossWeight: 0, perClass: { input: 0.5 }")).toContain(
    "loss.perClass.input",
  );
  const reconstruct = promptloss(
    ...["train", recipe("adapter", "promptLossWeight: 0.2, promptObjective: reconstruct"), "--dry-run"],
    ...["--set", "lora.rank=2"],
  );
  expect(reconstruct.stderr).toContain("loss.promptObjective: reconstruct changes what the decoder reads");
  expect(refused("divided", "promptLossWeight: 0", "steps: 2, processes: 2, sharding: gradients")).toContain(
    "training.sharding",
  );
});

test("checkpoints, adapters, several processes, and scores of choices and answers", () => {
  const train = (name: string, more: string, training: string): void => {
    const file = folder.recipe(
      name,
      `loss: { promptLossWeight: 0.2, promptObjective: denoise }
training: { batchSize: 8, learningRate: 1e-2, precision: float32, logEvery: 2, ${training} }
${more}`,
    );
    const { status, stderr } = promptloss("train", file);
    expect([name, status, status === 0 ? "" : stderr]).toEqual([name, 0, ""]);
  };
  // Stopped after its second step, and carried on: the weights of a run in one go.
  const halves = "steps: 4, schedule: constant";
  train("whole", "checkpoints: { every: 2 }", halves);
  train("parts", "checkpoints: { every: 2 }", "steps: 2, schedule: constant");
  const longer = promptloss(
    "train",
    join(folder.path, "parts.yaml"),
    "--set",
    "training.steps=4",
    "--extend",
  );
  expect([longer.status, longer.status === 0 ? "" : longer.stderr]).toEqual([0, ""]);
  const weights = (run: string): Buffer => readFileSync(join(folder.path, run, "model", "model.safetensors"));
  expect(weights("parts").equals(weights("whole"))).toBe(true);
  // Two processes share a batch's rows, corrupted prompts among them; dropout draws otherwise.
  train("one", "", "steps: 3, dropout: 0");
  train("two", "", "steps: 3, dropout: 0, processes: 2");
  const losses = (run: string): number[] =>
    metricsOf(run).flatMap((line) => (line.type === "step" ? [line.loss] : []));
  losses("two").forEach((loss, i) => {
    expect(Math.abs(loss / losses("one")[i]! - 1)).toBeLessThan(1e-4);
  });
  train("adapted", "lora: { rank: 4 }", "steps: 3");
  const merged = promptloss("merge", "adapted", "-o", "merged");
  expect([merged.status, merged.status === 0 ? "" : merged.stderr]).toEqual([0, ""]);

  writeFileSync(
    join(folder.path, "choices.jsonl"),
    COLORS.map((color, i) => JSON.stringify({ q: `Say ${color}.`, choices: COLORS, answer: i })).join("\n"),
  );
  writeFileSync(join(folder.path, "choices.yaml"), CHOICE_TASK);
  writeFileSync(join(folder.path, "answers.yaml"), ANSWER_TASK);
  const evaluated = promptloss(
    ...["evaluate", "merged", "--tasks", "choices.yaml,answers.yaml", "--task-data", ".", "-o", "scores"],
  );
  expect([evaluated.status, evaluated.status === 0 ? "" : evaluated.stderr]).toEqual([0, ""]);
  const scores = readFileSync(join(folder.path, "scores", "scores.jsonl"), "utf8")
    .trim()
    .split("\n");
  expect(scores.map((line) => JSON.parse(line)).map(({ task, metric, n }) => [task, metric, n])).toEqual([
    ["choices", "acc", 3],
    ["answers", "chrf", 3],
  ]);
});

test("dialogues and requests that come together are answered as each by itself, whether the decoder reads them too", async () => {
  for (const objective of ["denoise", "reconstruct"]) {
    // New weights write all kinds of tokens, where trained ones know a few colors.
    const model = join(folder.path, `served-${objective}`);
    cpSync(join(folder.path, "model"), model, { recursive: true });
    const config = join(model, "config.json");
    const json = JSON.parse(readFileSync(config, "utf8"));
    writeFileSync(config, JSON.stringify({ ...json, prompt_objective: objective }));
    const options = ["--max-new-tokens", "6", "--template", "chatml", "--temperature", "1", "--seed", "3"];
    const prompts = ["Say red.", "Name a colour. Say blue.", "Say"];
    const alone = prompts.map((prompt) => {
      const { stdout } = promptloss("generate", model, prompt, ...options, "--json");
      return JSON.parse(stdout).text as string;
    });

    const { child, ended, url, errors } = await startServing(model, "--template", "chatml", "--grace", "0");
    // Also where an expectation fails.
    onTestFinished(() => {
      child.kill();
    });
    const client = new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 });
    const [served] = (await client.models.list()).data;
    const drawn = { model: served!.id, temperature: 1, seed: 3, max_tokens: 6 };
    const ask = async (content: string) => {
      const messages = [{ role: "user" as const, content }];
      const { choices } = await client.chat.completions.create({ ...drawn, messages, logprobs: true });
      return choices[0]!;
    };
    const asked: Awaited<ReturnType<typeof ask>>[] = [];
    for (const prompt of prompts) asked.push(await ask(prompt));
    expect(asked.map(({ message }) => message.content)).toEqual(alone);
    // Each by its own prompt.
    expect(new Set(asked.map(({ logprobs }) => JSON.stringify(logprobs))).size).toBe(prompts.length);
    const together = await Promise.all(prompts.map(ask));
    expect(together.map(({ message }) => message.content)).toEqual(alone);
    // An encoder's products over several prompts round in another order.
    const logprobs = (choices: typeof asked): number[] =>
      choices.flatMap((choice) => choice.logprobs!.content!.map(({ logprob }) => logprob));
    const before = logprobs(asked);
    logprobs(together).forEach((logprob, i) => {
      expect(Math.abs(logprob - before[i]!)).toBeLessThan(1e-5);
    });
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    const pieces = ["<|im_start|>", "<|im_end|>"].map(
      (token) =>
        `! template chatml: ${token} is not a token of this tokenizer; it is written out in pieces\n`,
    );
    expect(errors()).toBe(pieces.join(""));

    const chat = spawnSync(process.execPath, [program, "chat", model, ...options], {
      encoding: "utf8",
      input: `${prompts[0]}\n${prompts[1]}\n/reset\n${prompts[0]}\n/exit\n`,
    });
    expect([chat.status, chat.stderr]).toEqual([0, pieces.join("")]);
    expect(chat.stdout.startsWith(`${alone[0]}\n`)).toBe(true);
    expect(chat.stdout.endsWith(`\n${alone[0]}\n`)).toBe(true);
  }
});
