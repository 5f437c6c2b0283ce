// Trained models beside the repository against transformers: test/python/real_models.py makes the goldens.
import { readFileSync } from "node:fs";
import { crossEntropy, fromTypedArray, scope, type Tensor } from "@promptloss/torch";
import { describe, expect } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { sharedPath } from "../../test/shared.ts";
import { type CausalLanguageModel, loadModel, packSequences } from "./index.ts";

interface Golden {
  ids: number[];
  entries: number[];
  /** [tokens][entries]. */
  logits: number[][];
  /** [tokens]. */
  logSumExps: number[];
  range: number;
  loss: number;
  gradientNorms: Record<string, number>;
}

function golden(name: string): Golden {
  return JSON.parse(
    readFileSync(new URL(`../../test/goldens/real-models/${name}.json`, import.meta.url), "utf8"),
  );
}

/** How far the last dimension's numbers are off. */
function off(got: Tensor, expected: readonly number[]): number {
  return scope(() =>
    got
      .sub(fromTypedArray(Float32Array.from(expected), got.shape))
      .abs()
      .amax()
      .item(),
  );
}

describe.each(["stories15M", "stories260K"])("%s", (name) => {
  const folder = sharedPath("models", name);
  const load = (): CausalLanguageModel => loadModel(folder!, { dtype: "float32", trainable: true });

  needs("shared", folder).test(`logits`, () => {
    const { ids, entries, logits, logSumExps, range } = golden(name);
    const model = load();
    scope(() => {
      const got = model.logits(model.forward(packSequences([ids])));
      expect(got.shape).toEqual([ids.length, model.architecture.vocabularySize]);
      const chosen = got.indexSelect(1, fromTypedArray(BigInt64Array.from(entries, BigInt)));
      // Both sum in float32, in different orders.
      expect(off(chosen, logits.flat()) / range).toBeLessThan(1e-4);
      const largest = got.amax(-1, { keepdim: true });
      const sums = got.sub(largest).exp().sum(-1).log().add(largest.squeeze(-1));
      expect(off(sums, logSumExps) / range).toBeLessThan(1e-4);
    });
    model.free();
  });

  needs("shared", folder).test(`loss and gradient norms`, () => {
    const { ids, loss, gradientNorms } = golden(name);
    const model = load();
    scope(() => {
      const scores = model.logits(model.forward(packSequences([ids]))).narrow(0, 0, ids.length - 1);
      const mean = crossEntropy(scores, fromTypedArray(BigInt64Array.from(ids.slice(1), BigInt)));
      mean.backward();
      expect(Math.abs(mean.item() - loss) / loss).toBeLessThan(1e-4);
      expect(Object.keys(gradientNorms).sort()).toEqual([...model.parameters.keys()].sort());
      for (const [key, expected] of Object.entries(gradientNorms)) {
        const norm = model.parameter(key).grad!.double().norm().item();
        expect(Math.abs(norm - expected) / expected, key).toBeLessThan(1e-4);
      }
    });
    model.free();
  });
});
