import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RecipeError } from "./errors.ts";
import { isRecipe, readRecipe } from "./read-recipe.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "recipe-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function recipe(text: string): string {
  const file = join(folder, "recipe.yaml");
  writeFileSync(file, text);
  return file;
}

function failure(text: string): string {
  try {
    readRecipe(recipe(text));
  } catch (error) {
    expect(error).toBeInstanceOf(RecipeError);
    return (error as Error).message.replaceAll(join(folder, "recipe.yaml"), "recipe.yaml");
  }
  throw new Error("the recipe was taken");
}

describe("readRecipe", () => {
  test("fills in what is left out, and finds paths beside the recipe", () => {
    mkdirSync(join(folder, "model"));
    const { model, data, template, loss } = readRecipe(recipe("model: ./model\ndata: { path: org/name }\n"));
    expect([model, template]).toEqual([join(folder, "model"), "alpaca"]);
    expect(loss).toEqual({
      promptLossWeight: "auto",
      normalization: "weight-sum",
      reduceOver: "batch",
      labelSmoothing: 0,
    });
    expect(data).toEqual([{ path: "org/name" }]);
  });

  test("options of a reweighting that its rule does not take are refused, and those that it needs asked for", () => {
    const of = (loss: string, more = "") =>
      failure(`model: m\ndata: a.json\n${more}loss: { ${loss} }\n`).replaceAll(/^recipe.yaml:\d: /gm, "");
    expect(of("reweighting: dft, reweightingOptions: { threshold: 0.5 }")).toMatchInlineSnapshot(
      `"loss.reweightingOptions.threshold: dft does not take it; it takes no numbers"`,
    );
    expect(of("reweightingOptions: { ratio: 0.5 }")).toMatchInlineSnapshot(
      `"loss.reweightingOptions.ratio: is of a rule; there is no loss.reweighting"`,
    );
    expect(of("reweighting: rho-1")).toMatchInlineSnapshot(
      `"loss.reweightingOptions.reference: rho-1 needs a reference model: one that was trained on data as these should be"`,
    );
    expect(
      of("reweighting: prift-mass, reweightingOptions: { predictions: model, confidence: 0.9 }"),
    ).toMatchInlineSnapshot(`
      "loss.reweightingOptions.confidence: prift-mass does not take it; it takes threshold
      loss.reweightingOptions.predictions: prift-mass looks at predictions of the reference model alone"
    `);
    expect(of("reweighting: profit, reweightingOptions: { reference: ./model }")).toMatchInlineSnapshot(
      `"loss.reweightingOptions.reference: profit looks at no reference model here; it does with predictions: reference"`,
    );
    expect(of("reweighting: prift-prob", "initialize: random\n")).toMatchInlineSnapshot(
      `"loss.reweighting: looks at the model before training, and its weights are drawn; name a loss.reweightingOptions.reference"`,
    );
  });

  test("reports every problem at once, with its line and the nearest key", () => {
    expect(
      failure(`model: ./model
data:
  - path: a.json
    format: alpca
loss:
  promtLossWeight: 0.1
  completionWeight: -1
overflw: drop
`),
    ).toMatchInlineSnapshot(`
      "recipe.yaml:4: data.0.format: expected one of alpaca, prompt-completion, messages, sharegpt, text, xlam, tokens, found the text "alpca"
      recipe.yaml:6: loss.promtLossWeight: there is no such key; did you mean promptLossWeight?
      recipe.yaml:7: loss.completionWeight: -1 is not a finite number of 0 or more
      recipe.yaml:8: overflw: there is no such key; did you mean overflow?"
    `);
  });

  test("weights out of range are refused at their lines, and taken where any weight is allowed", () => {
    const text = "model: a\ndata: b.json\nloss:\n  promptLossWeight: 2\n  perClass: { end: 3 }\n";
    expect(failure(text)).toMatchInlineSnapshot(`
      "recipe.yaml:4: loss.promptLossWeight: 2 is above 1, the weight of a completion; loss.allowAnyWeight: true (--allow-any-weight) allows it
      recipe.yaml:5: loss.perClass.end: 3 is above 1, the weight of a completion; loss.allowAnyWeight: true (--allow-any-weight) allows it"
    `);
    expect(readRecipe(recipe(`${text}  allowAnyWeight: true\n`)).loss.promptLossWeight).toBe(2);
    expect(failure("data: b.json\nloss: { promptLossWeight: -0.1, allowAnyWeight: true }\n")).toContain(
      "loss.promptLossWeight: -0.1 is not a finite number of 0 or more",
    );
    for (const value of [".nan", ".inf", "'0.1'", "1e999"])
      expect(failure(`data: b.json\nloss: { promptLossWeight: ${value} }\n`)).toContain(
        "loss.promptLossWeight: ",
      );
  });

  test("says where YAML is broken, and names a file that is missing", () => {
    expect(failure("data: [\n")).toMatch(/^recipe\.yaml:\d+: /);
    expect(() => readRecipe(join(folder, "none.yaml"))).toThrow(/none\.yaml: there is no such file/);
  });

  test("is known by its name", () => {
    expect([isRecipe("a.yaml"), isRecipe("b.YML"), isRecipe("c.json")]).toEqual([true, true, false]);
  });
});
