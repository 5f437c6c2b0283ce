import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TrainingFolder, trainingFolder } from "../../../test/training-folder.ts";
import { compareEvaluations, readRecords } from "../../evaluation/index.ts";
import { readRecipe } from "../../recipe/index.ts";
import { runTraining } from "../run-training.ts";
import type { Forgotten } from "./forgetting.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
  const texts = ["The cat sat on the mat.", "Rain falls in spring, and snow in winter.", "One two three."];
  writeFileSync(
    join(folder.path, "other.jsonl"),
    texts.map((text) => `${JSON.stringify({ text })}\n`).join(""),
  );
  const questions = ["up", "down", "left"].map((word) => ({
    ask: `Say ${word}.`,
    options: ["no", word],
    right: 1,
  }));
  writeFileSync(join(folder.path, "quiz.jsonl"), questions.map((row) => `${JSON.stringify(row)}\n`).join(""));
  writeFileSync(
    join(folder.path, "quiz.yaml"),
    'task: quiz\nkind: multiple-choice\ndata: { test: quiz.jsonl }\ncontext: "{{ask}}"\nchoices: options\ngold: "{{right}}"\nmetrics: [acc]\n',
  );
});
afterAll(() => folder.remove());

const PROBES = "probes: { forgetting: { text: other.jsonl, tasks: [quiz.yaml], data: . } }\n";

async function run(name: string, learningRate: number, more = "") {
  const file = folder.recipe(
    name,
    `${PROBES}${more}loss: { promptLossWeight: 0.5 }\ntraining: { steps: 2, learningRate: ${learningRate}, warmupSteps: 0, precision: float32 }\n`,
  );
  const done = await runTraining(readRecipe(file), { tokenCache: join(folder.path, "tokens"), file });
  const side = (which: string) => join(folder.path, name, "forgetting", which);
  return { forgetting: done.probes!.forgetting!, before: side("before"), after: side("after"), name };
}

test.each([
  ["full", ""],
  ["lora", "lora: { rank: 2 }\n"],
])("a model that training left as it was has forgotten exactly nothing: %s", async (name, more) => {
  const { forgetting, before, after } = await run(name, 1e-30, more);
  expect(forgetting.map(({ task, metric, items }) => [task, metric, items])).toEqual([
    ["text", "loss", 3],
    ["quiz", "acc", 3],
  ]);
  expect(forgetting.map(({ forgotten }) => forgotten)).toEqual([0, 0]);
  for (const task of ["text", "quiz"]) expect(readRecords(after, task)).toEqual(readRecords(before, task));
});

test("what training changed is measured by item, and compare reads it", async () => {
  const { forgetting, before, after, name } = await run("moved", 0.05);
  const [text] = forgetting as [Forgotten, Forgotten];
  expect(Math.abs(text.forgotten)).toBeGreaterThan(1e-3);
  expect(text.forgotten).toBe(text.after - text.before);
  const items = readRecords(after, "text").map(({ metrics }, i) => {
    const [now, was] = [metrics.loss!, readRecords(before, "text")[i]!.metrics.loss!];
    return now - was;
  });
  expect(items.reduce((sum, change) => sum + change, 0) / 3).toBeCloseTo(text.forgotten, 12);
  const [compared] = compareEvaluations(before, after, { tasks: ["text"], resamples: 50 });
  expect(compared).toMatchObject({ metric: "loss", n: 3, higherIsBetter: false });
  expect(compared!.difference).toBeCloseTo(text.forgotten, 12);
  const written = JSON.parse(readFileSync(join(folder.path, name, "probes.json"), "utf8")) as {
    forgetting: Forgotten[];
  };
  expect(written.forgetting).toEqual(forgetting);
});

test("texts and tasks that can't be read end a run before it begins", async () => {
  const failing = async (probe: string) => {
    const text = `probes: { forgetting: ${probe} }\ntraining: { steps: 1 }\n`;
    const file = folder.recipe("failing", text);
    return runTraining(readRecipe(file), { tokenCache: join(folder.path, "tokens"), file });
  };
  await expect(failing("{ text: missing.jsonl }")).rejects.toThrow(/missing.jsonl/);
  await expect(failing("{ tasks: [quizz] }")).rejects.toThrow(/there is no task quizz/);
  await expect(failing("{ tasks: [quiz.yaml], data: nowhere }")).rejects.toThrow(/quiz.jsonl/);
  await expect(failing("{ limit: 3, text: other.jsonl }")).rejects.toThrow(/forgetting.limit: is of tasks/);
  await expect(failing("{ }")).rejects.toThrow(/needs text, tasks or both/);
});
