// Greedy and beam output against transformers' on the tiny models, and on real ones beside the repository. The
// prompts that share options run in one batch here; there each ran alone.
import { describe, expect, it } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { type GenerationGolden, generationGolden, generationGoldens } from "../../test/generation.ts";
import { sharedPath } from "../../test/shared.ts";
import { tinyEncoderDecoders, tinyGolden, tinyModel, tinyModels } from "../../test/tiny-models.ts";
import { type CausalLanguageModel, loadModel } from "../models/index.ts";
import { generate } from "./generate.ts";

function groups(cases: readonly GenerationGolden[]): Map<string, GenerationGolden[]> {
  const found = new Map<string, GenerationGolden[]>();
  for (const each of cases) {
    const key = JSON.stringify(each.options);
    found.set(key, [...(found.get(key) ?? []), each]);
  }
  return found;
}

async function check(model: CausalLanguageModel, cases: readonly GenerationGolden[]): Promise<void> {
  for (const [label, group] of groups(cases)) {
    const results = await generate(
      model,
      group.map(({ prompt }) => prompt),
      group[0]!.options,
    );
    group.forEach(({ prompt, sequences, scores }, i) => {
      const where = `${label} after ${prompt.length} tokens`;
      expect(
        results[i]!.map(({ ids }) => [...ids]),
        where,
      ).toEqual(sequences);
      // Sums of float32 log-probabilities: 1e-5 of them is a few roundings.
      scores?.forEach((score, k) => {
        const off = Math.abs(results[i]![k]!.score! - score);
        expect(off, where).toBeLessThan(1e-5 * Math.max(1, Math.abs(score)));
      });
    });
  }
}

describe("generation equals transformers' in float32", () => {
  it.each(generationGoldens.filter((name) => tinyModels.includes(name)))("%s", async (name) => {
    const model = tinyModel(tinyGolden(name));
    await check(model, generationGolden(name));
    model.free();
  });

  it.each(generationGoldens.filter((name) => tinyEncoderDecoders.includes(name)))("%s", async (name) => {
    const model = tinyModel(tinyGolden(name, "encoder-decoders"));
    await check(model, generationGolden(name));
    model.free();
  });

  for (const name of ["stories15M", "stories260K"]) {
    const folder = sharedPath("models", name);
    needs("shared", folder).test(`${name}`, async () => {
      const model = loadModel(folder!, { dtype: "float32" });
      await check(model, generationGolden(name));
      model.free();
    });
  }
});
