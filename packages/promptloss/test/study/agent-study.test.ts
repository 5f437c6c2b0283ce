// The study of weights in conversations with tools: its rows are written, planned, and trained at the smallest size.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readStudyResults } from "../../src/study/results/index.ts";
import { promptloss } from "../command.ts";
import { tinyFolder } from "../tiny-folder.ts";
import { TINY_BYTES } from "../tokenizers.ts";

const recipes = fileURLToPath(new URL("../../../../recipes/", import.meta.url));
/** Shows definitions, calls, results and reasoning. */
const template = fileURLToPath(new URL("../chat-templates/thinking.jinja", import.meta.url));

let place: string;
let data: string;
let model: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "agent-study-"));
  data = join(place, "agent.jsonl");
  expect(written(data, "30")).toBe("");
  model = tinyFolder(TINY_BYTES, { config: { max_position_embeddings: 2048 } });
  copyFileSync(template, join(model, "chat_template.jinja"));
});
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
  rmSync(join(model, ".."), { recursive: true, force: true });
});

/** What the program complains of. */
function written(...args: string[]): string {
  return spawnSync(process.execPath, [join(recipes, "agent-rows.mjs"), ...args], { encoding: "utf8" }).stderr;
}

interface Row {
  readonly messages: {
    readonly role: string;
    readonly content: string | null;
    readonly reasoning_content?: string;
    readonly tool_calls?: readonly { readonly id: string }[];
    readonly tool_call_id?: string;
  }[];
}

test("rows are the same for the same seed; each call has its result, each turn its reasoning", () => {
  const again = join(place, "again.jsonl");
  const other = join(place, "other.jsonl");
  written(again, "30", "1");
  written(other, "30", "2");
  const text = readFileSync(data, "utf8");
  expect(readFileSync(again, "utf8")).toBe(text);
  expect(readFileSync(other, "utf8")).not.toBe(text);
  const rows = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
  expect(rows).toHaveLength(30);
  for (const { messages } of rows) {
    const called = messages.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id));
    expect(called.length).toBeGreaterThan(0);
    expect(messages.flatMap(({ tool_call_id: id }) => id ?? [])).toEqual(called);
    const turns = messages.filter(({ role }) => role === "assistant");
    expect(turns.every(({ reasoning_content: thought }) => thought !== undefined && thought !== "")).toBe(
      true,
    );
    expect(messages.at(-1)!.content).not.toBe(null);
  }
  expect(text).toMatch(/"error\\":\\"no /);
  expect(written(data, "no")).toMatch(/ROWS, 1 or more/);
});

test("the study of the repository is planned: twelve weightings of the same tokens", () => {
  const set = ["--set", `model=${model}`, "--set", `data=${data}`];
  const file = join(recipes, "studies/agent-weights.yaml");
  const { status, stdout, stderr } = promptloss(["study", "plan", file, ...set, "--json"]);
  expect([status, stderr]).toEqual([0, ""]);
  const { cells } = JSON.parse(stdout) as {
    cells: { levels: { seed: number }; tokens: number }[];
  };
  expect(cells).toHaveLength(24);
  // A seed holds out rows of its own.
  expect(new Set(cells.map(({ levels, tokens }) => `${levels.seed} ${tokens}`)).size).toBe(2);
});

test("a corner of it is trained: weights on results and on reasoning change what is learned", () => {
  const file = join(place, "study.yaml");
  writeFileSync(
    file,
    `recipe: ${join(recipes, "agent.yaml")}
factors:
  toolResults:
    - { label: "0", set: { loss.perClass.tool-result: 0 } }
    - { label: "1", set: { loss.perClass.tool-result: 1 } }
  reasoning:
    - { label: "0", set: { loss.perClass.reasoning: 0 } }
    - { label: "1", set: { loss.perClass.reasoning: 1 } }
set:
  model: ${model}
  data: ${data}
  loss.allowAnyWeight: true
  evaluation: { rows: 6, unit: row }
  training: { steps: 3, batchTokens: 4096, learningRate: 1e-2, warmupSteps: 0, precision: float32 }
tasks: [held-out]
`,
  );
  const output = join(place, "results");
  const { status, stderr } = promptloss(["study", "run", file, "--output", output]);
  expect([status, stderr]).toEqual([0, ""]);
  const { rows } = readStudyResults(output);
  const prompt = new Map(
    rows
      .filter(({ metric }) => metric === "prompt_loss")
      .map(({ factors, value }) => [`${factors.toolResults} ${factors.reasoning}`, value]),
  );
  expect([...prompt.keys()].sort()).toEqual(["0 0", "0 1", "1 0", "1 1"]);
  // Results are of the prompt: trained on them, the model predicts it better.
  for (const reasoning of ["0", "1"])
    expect(prompt.get(`1 ${reasoning}`)).toBeLessThan(prompt.get(`0 ${reasoning}`)!);
});
