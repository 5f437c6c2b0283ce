// A program's own token-weight function, as a run takes it.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLASS_CODE, type WeightPolicy } from "../src/data/tokens/index.ts";
import { checkRecipe } from "../src/recipe/index.ts";
import { prepareRun } from "../src/training/index.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

function prepare(tokenWeight?: WeightPolicy["tokenWeight"]) {
  return prepareRun(
    checkRecipe(
      {
        model: join(folder.path, "model"),
        data: join(folder.path, "rows.json"),
        output: join(folder.path, "run"),
        loss: { promptLossWeight: 0.5 },
      },
      "program.js",
    ),
    { tokenCache: join(folder.path, "tokens"), ...(tokenWeight && { tokenWeight }) },
  );
}

test("its weights are those that are trained, and make another run", async () => {
  const halved: WeightPolicy["tokenWeight"] = ({ class: name, weight }) =>
    name === "input" ? weight / 2 : weight;
  const [plain, changed] = [await prepare(), await prepare(halved)];
  try {
    // The first row has an input.
    const { classes, weights } = plain.rows.at(0);
    const expected = weights.map((weight, i) => (classes[i] === CLASS_CODE.input ? weight / 2 : weight));
    expect(expected).not.toEqual(weights);
    expect(changed.rows.at(0).weights).toEqual(expected);
    expect(changed.fingerprint).not.toBe(plain.fingerprint);
  } finally {
    plain.free();
    changed.free();
  }
});
