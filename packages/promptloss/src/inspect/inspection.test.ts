import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { turn } from "../../test/examples.ts";
import { sharedPath } from "../../test/shared.ts";
import { TINY_BYTES } from "../../test/tokenizers.ts";
import type { ConversationExample, Example } from "../data/example.ts";
import { readExamples } from "../data/rows/index.ts";
import { ChatTemplate, createTemplate } from "../data/templates/index.ts";
import { loadTokenizer } from "../data/tokenizer/index.ts";
import { inkOf } from "../terminal/index.ts";
import { generationRatio } from "./generation-ratio.ts";
import { type InspectOptions, inspectExamples } from "./inspection.ts";
import { PART_CLASSES, type PartLengths } from "./part-lengths.ts";
import { renderInspection } from "./render.ts";

const tokenizer = await loadTokenizer(TINY_BYTES);
const template = createTemplate("alpaca", tokenizer);

function row(instruction: string, input: string, output: string, number = 1): ConversationExample {
  return {
    kind: "conversation",
    turns: [
      {
        role: "user",
        parts: [
          { class: "instruction", text: instruction },
          ...(input === "" ? [] : [{ class: "input" as const, text: input }]),
        ],
      },
      { role: "assistant", parts: [{ class: "completion", text: output }] },
    ],
    source: { file: "rows.json", row: number },
  };
}

async function count(text: string): Promise<number> {
  return (await tokenizer.encodeIds([text]))[0]!.length;
}

describe("generationRatio", () => {
  test("is the ratio of means, beside the mean of the rows' ratios", () => {
    const lengths = {
      system: Int32Array.of(9, 9, 9),
      "tool-definition": Int32Array.of(9, 9, 9),
      instruction: Int32Array.of(2, 4, 0),
      input: Int32Array.of(0, 4, 0),
      "tool-result": Int32Array.of(9, 9, 9),
      completion: Int32Array.of(1, 4, 3),
      reasoning: Int32Array.of(2, 0, 0),
      "tool-call": Int32Array.of(1, 0, 0),
    };
    expect(generationRatio(lengths)).toEqual({
      ratioOfMeans: 11 / 10,
      meanOfRatios: (4 / 2 + 4 / 8) / 2,
      rowsWithoutPrompt: 1,
    });
  });

  test("is undefined without prompts", () => {
    const nothing = Object.fromEntries(
      PART_CLASSES.map((name) => [name, Int32Array.of(0)]),
    ) as unknown as PartLengths;
    const ratio = generationRatio({ ...nothing, completion: Int32Array.of(3) });
    expect([ratio.ratioOfMeans, ratio.meanOfRatios]).toEqual([undefined, undefined]);
  });
});

describe("inspectExamples", () => {
  const rows = [
    row("Name a colour.", "", "Red", 1),
    row("Add the numbers.", "1 and 2", "The sum is 3.", 2),
    row("Name a colour.", "", "Blue is a colour that many people like.", 3),
    row("Name a colour.", "", "Red", 4),
  ];

  test("counts each part by itself, duplicates, and each part's share of the loss", async () => {
    const inspection = await inspectExamples(rows, { tokenizer, template });
    const inputs = [0, await count("1 and 2"), 0, 0];
    expect(inspection.rows).toBe(4);
    expect(inspection.parts.input?.mean).toBe(inputs.reduce((a, b) => a + b) / 4);
    expect(inspection.parts.instruction?.max).toBe(
      Math.max(await count("Name a colour."), await count("Add the numbers.")),
    );
    expect(inspection.parts.system).toBeUndefined();
    expect(inspection.duplicates).toEqual({ rows: 1, prompts: 2 });
    const { tokens } = inspection.trained;
    const prompt = tokens.instruction + tokens.input + tokens.template;
    const answer = tokens.completion + tokens.end;
    for (const { promptLossWeight: w, prompt: first, content, end } of inspection.lossShares) {
      const all = w * prompt + answer;
      expect(first).toBeCloseTo((w * prompt) / all, 12);
      expect(content).toBeCloseTo(tokens.completion / all, 12);
      expect(end).toBeCloseTo(tokens.end / all, 12);
    }
    expect(inspection.trained.ratio).toBeCloseTo(answer / prompt, 12);
    expect(inspection.warnings).toEqual([expect.stringMatching(/^1 row repeat an earlier row/)]);
  });

  test("the sample does not touch what all rows are counted for", async () => {
    const whole = await inspectExamples(rows, { tokenizer, template });
    const sampled = await inspectExamples(rows, { tokenizer, template, sample: 2, seed: 5 });
    expect(sampled.trained.rows).toBe(2);
    expect({ ...sampled.parts, ...sampled.generationRatio }).toEqual({
      ...whole.parts,
      ...whole.generationRatio,
    });
  });

  test("takes text and token rows, and knows that there is no prompt", async () => {
    const source = { file: "rows", row: 1 };
    const examples: Example[] = [
      { kind: "text", text: "Once upon a time", source },
      { kind: "tokens", inputIds: Int32Array.of(1, 2, 3), completionMask: Uint8Array.of(0, 1, 1), source },
    ];
    const { parts } = await inspectExamples(examples, { tokenizer, template });
    expect([parts.instruction?.max, parts.completion?.min]).toEqual([1, 2]);
    const text = await inspectExamples([examples[0]!], { tokenizer, template });
    expect(text.recommendation).toBeUndefined();
    expect(text.warnings).toContain("there are no prompt tokens: a prompt loss weight changes nothing");
  });

  test("says so where there are no rows, and where completions are empty", async () => {
    expect((await inspectExamples([], { tokenizer, template })).warnings).toEqual(["there are no rows"]);
    const { warnings } = await inspectExamples([row("Say nothing.", "", "")], { tokenizer, template });
    expect(warnings.join()).toMatch(/1 row with an empty completion/);
  });
});

describe("conversations with tools", () => {
  const source = readFileSync(new URL("../../test/chat-templates/tag-calls.jinja", import.meta.url), "utf8");
  const { path, special, specialTexts, prefixIds, stopIds } = tokenizer;
  const known = { path, special, specialTexts, prefixIds, stopIds, chatTemplate: source };
  const tokenOf = tokenizer.tokenOf.bind(tokenizer);
  const tags = new ChatTemplate({ ...known, tokenOf, chatTemplateNames: [] });
  const call = { name: "look", arguments: '{"at": "it"}' };
  const talk: ConversationExample = {
    kind: "conversation",
    tools: ['{"type": "function", "function": {"name": "look"}}'],
    turns: [
      turn("user", "Look at it."),
      { role: "assistant", parts: [{ class: "completion", text: "" }], toolCalls: [call] },
      turn("tool", "It is a river, wide and green."),
      turn("assistant", "<think>so</think>A river."),
    ],
    source: { file: "rows.jsonl", row: 1 },
  };

  test("are counted by class and by turn, and their shares of the loss are those of the weights", async () => {
    const weights = { perClass: { "tool-result": 0.05, template: 0 } };
    const inspection = await inspectExamples([talk], { tokenizer, template: tags, weights });
    const { trained, classShares, turnShares, lossShares, parts } = inspection;
    expect(parts["tool-result"]?.mean).toBe(await count("It is a river, wide and green."));
    expect(Object.keys(parts)).toContain("tool-call");
    const tokens = trained.tokens;
    for (const name of ["tool-definition", "tool-result", "tool-call"] as const)
      expect(tokens[name]).toBeGreaterThan(0);
    const written = tokens.completion + tokens["tool-call"] + tokens.reasoning + tokens.end;
    const all = 0.05 * tokens["tool-result"] + written;
    expect(lossShares[0]!.promptLossWeight).toBe(0);
    expect(classShares["tool-result"][0]).toBeCloseTo((0.05 * tokens["tool-result"]) / all, 12);
    expect(classShares["tool-call"][0]).toBeCloseTo(tokens["tool-call"] / all, 12);
    expect(classShares.template.at(-1)).toBe(0);
    expect(trained.turns.map(({ rows }) => rows)).toEqual([1, 1]);
    expect(trained.turns.map((each) => each.tokens["tool-result"])).toEqual([0, tokens["tool-result"]]);
    expect(turnShares.map(([first]) => first!).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    // The rows' own generation ratio has calls and reasoning on its side.
    expect(inspection.generationRatio.ratioOfMeans).toBeGreaterThan(1);
  });

  test("say which token ends a turn of each kind, and whether it is trained", async () => {
    const ends = async (weights: InspectOptions["weights"] = {}) => {
      const inspection = await inspectExamples([talk], { tokenizer, template: tags, weights });
      const context = { data: "rows.jsonl", tokenizer: "tiny", colors: inkOf(false) };
      return [inspection.trained.ends, renderInspection(inspection, context)] as const;
    };
    const [found, page] = await ends();
    expect(found).toEqual([
      { kind: "tool-call", token: "<|im_end|>", completions: 1, untrained: 0 },
      { kind: "answer", token: "<|im_end|>", completions: 1, untrained: 0 },
    ]);
    expect(page).toContain("completions end in  <|im_end|> (1 *, trained)");
    expect(page).toContain("tool calls end in  <|im_end|> (1 *, trained)");
    expect(page).toContain("generation marks agree with what is trained in 2 turns");
    expect(page).toMatch(/share by class at PLW \*[\s\S]*tool-result/);
    expect(page).toMatch(/turn 2 +1/);
    expect((await ends({ perClass: { end: 0 } }))[1]).toContain("<|im_end|> (1 *, not trained)");
  });
});

// The paper prints an Rg of 3.27 for AlpacaData.
const alpaca = sharedPath("data", "instructions", "alpaca_data.json");
const llama = sharedPath("models", "stories15M");
needs("shared", alpaca && llama).test(
  "AlpacaData with LLaMA's tokenizer has the known means and ratios",
  async () => {
    const real = await loadTokenizer(llama!);
    const stream = readExamples({ path: alpaca! }, { emptyCompletions: "keep" });
    const {
      rows,
      parts,
      generationRatio: ratio,
      recommendation,
    } = await inspectExamples(stream, {
      tokenizer: real,
      template: createTemplate("alpaca", real),
      sample: 100,
    });
    const means = [parts.instruction, parts.input, parts.completion].map((each) => each?.mean.toFixed(2));
    expect([rows, ...means]).toEqual([52002, "13.40", "6.25", "64.51"]);
    expect([ratio.ratioOfMeans?.toFixed(2), ratio.meanOfRatios?.toFixed(2)]).toEqual(["3.28", "4.57"]);
    expect(recommendation).toMatchObject({ source: "prior", runs: 0 });
  },
);
