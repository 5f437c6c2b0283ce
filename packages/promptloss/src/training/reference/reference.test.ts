import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TrainingFolder, trainingFolder } from "../../../test/training-folder.ts";
import { loadModel } from "../../models/index.ts";
import { readRecipe } from "../../recipe/index.ts";
import { differencesOf } from "../differences.ts";
import type { ProgressEvent } from "../events/event.ts";
import { prepareRun } from "../prepare.ts";
import { rowStatistics } from "./statistics.ts";

let folder: TrainingFolder;
let cache: string;
beforeAll(() => {
  folder = trainingFolder();
  cache = join(folder.path, "reference");
});
afterAll(() => folder.remove());

async function prepared(loss: string, more = "") {
  const events: ProgressEvent[] = [];
  const recipe = readRecipe(
    folder.recipe("run", `loss: { ${loss} }\ntraining: { steps: 1, precision: float32 }\n${more}`),
  );
  const run = await prepareRun(recipe, {
    tokenCache: join(folder.path, "tokens"),
    referenceCache: cache,
    onProgress: (event) => events.push(event),
  });
  const computed = events.some(({ phase }) => phase === "reference");
  const rows = Array.from({ length: run.rows.length }, (_, index) => run.rows.at(index));
  run.free();
  return { ...run, computed, values: rows.map(({ reference }) => reference!), rows };
}

function cached(): string[] {
  return readdirSync(cache).map((name) => join(cache, name));
}

test("what the model makes of the rows before training is computed once, for all weights and rules that need it", async () => {
  const first = await prepared("promptLossWeight: 0.5, reweighting: prift-prob");
  expect(first.computed).toBe(true);
  const model = loadModel(join(folder.path, "model"));
  for (const [index, row] of first.rows.entries())
    expect(first.values[index]).toEqual(rowStatistics(model, [row], { kind: "loss" }, undefined)[0]);
  model.free();
  for (const loss of [
    "promptLossWeight: 0, reweighting: prift-prob",
    "promptLossWeight: 0.5, reweighting: profit, reweightingOptions: { predictions: reference }",
    "promptLossWeight: 0.5, reweighting: rho-1, reweightingOptions: { reference: ./model }",
  ]) {
    const again = await prepared(loss);
    expect([loss, again.computed]).toEqual([loss, false]);
    expect(again.values).toEqual(first.values);
    expect(again.referenceHash).toBe(first.referenceHash);
  }
  expect(cached()).toHaveLength(1);
  // Another number of each prediction, and other ids, are other files.
  expect((await prepared("promptLossWeight: 0.5, reweighting: prift-mass")).computed).toBe(true);
  expect(
    (await prepared("promptLossWeight: 0.5, reweighting: prift-prob", "template: plain\n")).computed,
  ).toBe(true);
  expect(cached()).toHaveLength(3);
  const none = await prepared("promptLossWeight: 0.5, reweighting: dft");
  expect([none.computed, none.referenceHash, none.values[0]]).toEqual([false, undefined, undefined]);
});

test("a damaged file is told of and computed again", async () => {
  const loss = "promptLossWeight: 0.5, reweighting: prift-prob";
  const before = await prepared(loss);
  for (const path of cached()) {
    const bytes = readFileSync(path);
    bytes[bytes.length - 3]! ^= 0x10;
    writeFileSync(path, bytes);
  }
  const after = await prepared(loss);
  expect(after.computed).toBe(true);
  expect(after.notes.join("\n")).toMatch(/numbers of the reference model in \w+\.reference are damaged/);
  expect(after.values).toEqual(before.values);
  const whole = await prepared(loss);
  expect([whole.computed, whole.notes.length]).toEqual([false, after.notes.length - 1]);
});

test("another reference model is another run, and one that cannot take the rows is named", async () => {
  const loss = (path: string) =>
    `promptLossWeight: 0.5, reweighting: rho-1, reweightingOptions: { reference: ${path} }`;
  const other = trainingFolder();
  try {
    const path = join(other.path, "model");
    const config = join(path, "config.json");
    const known = JSON.parse(readFileSync(config, "utf8")) as object;
    const change = (key: string, value: number): void =>
      writeFileSync(config, JSON.stringify({ ...known, [key]: value }));
    change("rms_norm_eps", 0.5);
    const [own, foreign] = [await prepared(loss("./model")), await prepared(loss(path))];
    expect(foreign.referenceHash).not.toBe(own.referenceHash);
    expect(foreign.fingerprint).not.toBe(own.fingerprint);
    expect(differencesOf(own, foreign).map(({ key }) => key)).toEqual(["loss.reweightingOptions.reference"]);
    change("vocab_size", 8);
    await expect(prepared(loss(path))).rejects.toThrow(/^the reference model .*embed_tokens/);
  } finally {
    other.remove();
  }
});
