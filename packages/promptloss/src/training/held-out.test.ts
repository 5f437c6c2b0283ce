import { join } from "node:path";
import { noGrad } from "@promptloss/torch";
import { expect, test } from "vitest";
import { tinyLlama } from "../../test/tiny-llama.ts";
import { rowOfLength } from "../../test/tokens.ts";
import { trainingFolder } from "../../test/training-folder.ts";
import { readRecipe } from "../recipe/index.ts";
import { NonFiniteLossError } from "./errors.ts";
import { heldOutLoss } from "./held-out.ts";
import { prepareRun } from "./prepare.ts";
import { train } from "./train.ts";

test("a loss that is not finite is an error that names the row", () => {
  const model = tinyLlama();
  // The embedding of token 7, which only the second row has.
  noGrad(() => model.parameter("model.embed_tokens.weight").select(0, 7).fill_(Number.NaN));
  const rows = [rowOfLength(4, 0, 1), rowOfLength(4, 5, 2)];
  const data = { length: rows.length, at: (index: number) => rows[index]! };
  const measure = () =>
    heldOutLoss(model, data, { normalization: { normalization: "weight-sum" }, microBatch: { tokens: 64 } });
  expect(measure).toThrow(NonFiniteLossError);
  expect(measure).toThrow(/row 2: the model's loss is NaN/);
});

test("a run's held-out loss is neither smoothed nor reweighted, whatever it trains on", async () => {
  const folder = trainingFolder();
  try {
    const measured: number[] = [];
    for (const [name, loss] of Object.entries({
      plain: "",
      changed: ", labelSmoothing: 0.4, reweighting: dft",
    })) {
      // A rate at which nothing is learned, so that both are measured on the same weights.
      const text = `loss: { promptLossWeight: 0.5${loss} }\ntraining: { steps: 1, learningRate: 1e-12, precision: float32 }\nevaluation: { rows: 6 }\n`;
      const run = await prepareRun(readRecipe(folder.recipe(name, text)), {
        tokenCache: join(folder.path, "cache"),
      });
      await train(run, {
        checkpoints: join(folder.path, name, "checkpoints"),
        onEvent: (event) => {
          if (event.type === "evaluation") measured.push(event.loss);
        },
      });
      const { settings, heldOut } = run;
      const { labelSmoothing, reweighting } = settings;
      measured.push(heldOutLoss(run.model, heldOut!, settings).loss);
      expect([labelSmoothing > 0, reweighting !== undefined]).toEqual([
        name === "changed",
        name === "changed",
      ]);
      run.free();
    }
    const [plain, plainAgain, changed, smoothed] = measured as [number, number, number, number];
    expect(plainAgain).toBe(plain);
    expect(changed).toBeCloseTo(plain, 6);
    // With both it would have been another: their part is far above rounding.
    expect(Math.abs(smoothed - plain)).toBeGreaterThan(0.1);
  } finally {
    folder.remove();
  }
});
