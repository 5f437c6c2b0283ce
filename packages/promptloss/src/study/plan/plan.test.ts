// Plans over a tiny model and rows that are there: figures against those of the run itself.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TrainingFolder, trainingFolder } from "../../../test/training-folder.ts";
import { prepareRun } from "../../training/prepare.ts";
import { planStudy } from "./plan.ts";
import { readStudy } from "./read-study.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

function study(text: string) {
  const file = join(folder.path, "study.yaml");
  writeFileSync(
    file,
    `recipe:
  model: model
  data: rows.json
  maxLength: 256
  training: { epochs: 3, batchSize: 5 }
  evaluation: { rows: 4 }
${text}`,
  );
  return readStudy(file);
}

test("tokens, steps and rows are those that the runs will have", async () => {
  const cache = join(folder.path, "cache");
  const found = study("factors: { plw: [0, 1], seed: [1, 2] }\ntokensPerSecond: 100\n");
  const plan = await planStudy(found, { cache });
  for (const { cell, tokens, steps, generationRatio, seconds } of plan.cells) {
    const run = await prepareRun({ ...cell.recipe, output: join(folder.path, "x") }, { tokenCache: cache });
    let counted = 0;
    for (const { rows } of run.batches.from(0)) for (const row of rows) counted += run.rows.lengths[row]!;
    expect([tokens, steps]).toEqual([counted, run.batches.steps]);
    expect(seconds).toBe(counted / 100);
    expect(generationRatio).toBeGreaterThan(0);
    run.free();
  }
  expect(plan.totals.tokens).toBe(plan.cells.reduce((sum, { tokens }) => sum + tokens!, 0));
  // A line for each seed: which rows are held out.
  expect(plan.notes).toEqual([1, 2].map((seed) => expect.stringContaining(`drawn by seed ${seed}`)));
});

test("disk: what stays of a cell, and what is there while it trains", async () => {
  const options = { cache: join(folder.path, "cache") };
  const [model, scores] = await Promise.all(
    ["model", "scores"].map((keep) => planStudy(study(`factors: { plw: [0, 1] }\nkeep: ${keep}\n`), options)),
  );
  // 20.7 k parameters in float32; three checkpoints at once of weights and two moments, the best weights, the model.
  const bytes = model!.cells[0]!.bytes!;
  expect(bytes).toBeGreaterThan(20_000 * 4);
  expect(model!.cells[0]!.peakBytes).toBe(3 * 3 * bytes + bytes + bytes);
  expect(scores!.totals.bytes).toBe(0);
  expect(model!.totals.peakBytes).toBe(2 * bytes + 10 * bytes);
});

test("what is not at hand is said once, and the cells are planned all the same", async () => {
  const plan = await planStudy(study("factors: { plw: [0, 1] }\nset: { data: none.json, model: ./none }\n"));
  expect(plan.cells.map(({ tokens, bytes }) => [tokens, bytes])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
  expect(plan.notes.some((note) => note.includes("none: there is no such model folder"))).toBe(true);
});
