// `promptloss merge` as a user runs it, on an adapter that a run trained.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, openSafetensors, scope } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { createModel, loadModel, packSequences, parseModelConfig, saveModel } from "../src/models/index.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { runTraining } from "../src/training/run-training.ts";
import { promptloss } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
let run: string;

beforeAll(async () => {
  folder = trainingFolder();
  run = join(folder.path, "adapter");
  const file = folder.recipe(
    "adapter",
    `template: chatml
lora: { rank: 2, targets: [q_proj, down_proj] }
training: { steps: 4, batchSize: 8, learningRate: 5e-2, precision: float32 }
`,
  );
  await runTraining(readRecipe(file), { file, tokenCache: join(folder.path, "cache") });
});
afterAll(() => folder.remove());

function merge(...rest: string[]) {
  return promptloss(["merge", run, ...rest]);
}

function dtypesOf(path: string): string[] {
  using source = openSafetensors(path);
  return [...new Set(source.names.map((name) => source.info(name).dtype))];
}

describe("merge", () => {
  test("the merged folder gives what base and adapter give, and carries the rest along", async () => {
    const output = join(folder.path, "merged");
    const { status, stdout, stderr } = merge("-o", output);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(
      `${output}: ${join(folder.path, "model")} with 4 modules of ${join(run, "model")} merged, float32\n`,
    );
    expect(readdirSync(output).sort()).toEqual([
      "chat_template.jinja",
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    for (const name of ["chat_template.jinja", "generation_config.json", "tokenizer_config.json"])
      expect(readFileSync(join(output, name), "utf8")).toBe(readFileSync(join(run, "model", name), "utf8"));
    using adapted = await TextGenerator.load(run);
    using merged = await TextGenerator.load(output);
    using base = await TextGenerator.load(join(folder.path, "model"));
    const ids = await adapted.promptIds("Say red.");
    expect(await merged.promptIds("Say red.")).toEqual(ids);
    const logits = (generator: TextGenerator): number[] =>
      noGrad(() =>
        scope(() => [
          ...generator.model.logits(generator.model.forward(packSequences([ids]))).toTypedArray("float32"),
        ]),
      );
    const [expected, given, before] = [logits(adapted), logits(merged), logits(base)];
    const spread = Math.max(...expected) - Math.min(...expected);
    const off = (a: readonly number[]): number =>
      Math.max(...a.map((value, i) => Math.abs(value - expected[i]!))) / spread;
    // The same products in another order; without the adapter they are far away.
    expect(off(given)).toBeLessThan(1e-5);
    expect(off(before)).toBeGreaterThan(1e-3);
  });

  test("--dtype rounds the merged weights once", () => {
    const [whole, half] = [join(folder.path, "whole"), join(folder.path, "half")];
    expect(merge("-o", whole, "--dtype", "float32").status).toBe(0);
    const { stdout } = merge("-o", half, "--dtype", "bfloat16", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ output: half, dtype: "bfloat16", modules: 4, notes: [] });
    expect([dtypesOf(whole), dtypesOf(half)]).toEqual([["F32"], ["BF16"]]);
    expect(JSON.parse(readFileSync(join(half, "config.json"), "utf8")).dtype).toBe("bfloat16");
    const rounded = loadModel(half);
    const exact = loadModel(whole);
    for (const [name, weight] of exact.parameters)
      scope(() => {
        const other = rounded.parameter(name).ne(weight.to({ dtype: "bfloat16" }));
        expect(other.sum().item(), name).toBe(0);
      });
    rounded.free();
    exact.free();
  });

  test("an adapter of another base is refused, whatever its shapes", () => {
    const other = mkdtempSync(join(folder.path, "other-"));
    cpSync(join(folder.path, "model"), other, { recursive: true });
    const config = JSON.parse(readFileSync(join(other, "config.json"), "utf8")) as object;
    const drawn = createModel(parseModelConfig(config), { seed: 6 });
    saveModel(drawn, other, { companions: join(folder.path, "model") });
    drawn.free();
    const output = join(folder.path, "refused");
    const { status, stderr } = merge("-o", output, "--base", other);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `error: ${join(run, "model")}: was trained on another model than ${other}: config or weights differ\nhint: give the folder that it was trained on with --base\n`,
    );
    expect(existsSync(output)).toBe(false);
    // The base with another chat template is the same base.
    const moved = join(folder.path, "moved");
    cpSync(join(folder.path, "model"), moved, { recursive: true });
    writeFileSync(join(moved, "chat_template.jinja"), "{{ messages[0].content }}");
    expect(merge("-o", output, "--base", moved).status).toBe(0);
    rmSync(output, { recursive: true });
  });

  test("what is there, and what is no adapter, is refused", () => {
    const output = join(folder.path, "there");
    expect(merge("-o", output).status).toBe(0);
    expect(merge("-o", output).stderr).toBe(
      `error: ${output}: is there already\nhint: name another folder, or give --overwrite to replace it\n`,
    );
    expect(merge("-o", output, "--overwrite").status).toBe(0);
    expect(merge("-o", join(folder.path, "model")).stderr).toMatch(/would overwrite the base model/);
    expect(promptloss(["merge", output, "-o", join(folder.path, "twice")]).stderr).toBe(
      `error: ${output}: is a whole model, with no adapter to merge\nhint: it can be used as it is\n`,
    );
    expect(promptloss(["merge", "missing", "-o", join(folder.path, "none")]).stderr).toBe(
      "error: missing: there is no such folder\n" +
        "hint: name an adapter's folder, or that of a training run with an adapter\n",
    );
  });
});
