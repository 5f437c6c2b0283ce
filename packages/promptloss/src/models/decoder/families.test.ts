// Every family against transformers: test/python/tiny_models.py makes the goldens.
import { crossEntropy, fromTypedArray, scope, type Tensor } from "@promptloss/torch";
import { describe, expect, test } from "vitest";
import { tinyGolden, tinyModel, tinyModels } from "../../../test/tiny-models.ts";
import { packSequences } from "./input.ts";

describe.each(tinyModels)("%s", (name) => {
  const golden = tinyGolden(name);
  const model = tinyModel(golden);
  const input = packSequences([golden.ids]);

  test("logits", () => {
    const logits = scope(() => model.logits(model.forward(input)).toTypedArray("float32"));
    expect(logits.length).toBe(golden.logits.length);
    const range = Math.max(...golden.logits) - Math.min(...golden.logits);
    const off = logits.reduce((most, value, i) => Math.max(most, Math.abs(value - golden.logits[i]!)), 0);
    report(name, "logits", off / range);
    // Both sum in float32, in different orders.
    expect(off / range).toBeLessThan(1e-4);
  });

  test.each([false, true])("loss and gradient norms, checkpointing %s", (checkpointing) => {
    for (const parameter of model.parameters.values()) parameter.grad = null;
    const loss = scope(() => {
      const hidden = model.forward(input, { checkpointing });
      const scores = model.logits(hidden).narrow(0, 0, golden.ids.length - 1);
      const targets = fromTypedArray(BigInt64Array.from(golden.ids.slice(1), BigInt));
      const mean = crossEntropy(scores, targets);
      mean.backward();
      return mean.item();
    });
    expect(Math.abs(loss - golden.loss) / golden.loss).toBeLessThan(1e-4);
    let worst = 0;
    for (const [key, expected] of Object.entries(golden.gradientNorms)) {
      const norm = scope(() => (model.parameter(key).grad as Tensor).double().norm().item());
      // Gradients that are 0 in exact arithmetic (a key's bias moves all scores alike) are rounding alone.
      if (expected < 1e-6) expect(norm, key).toBeLessThan(1e-5);
      else {
        worst = Math.max(worst, Math.abs(norm - expected) / expected);
        expect(Math.abs(norm - expected) / expected, key).toBeLessThan(1e-4);
      }
    }
    report(name, "gradient norms", worst);
  });
});

function report(name: string, what: string, off: number): void {
  if (process.env.PROMPTLOSS_REPORT) console.log(`${name}: ${what} off by ${off.toExponential(1)}`);
}
