// What docs/training.md says of events, and the recipes that the repository offers.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRecipe } from "../src/recipe/index.ts";
import { EVENT_FIELDS } from "../src/training/events/fields.ts";
import { program } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const package_ = fileURLToPath(new URL("../", import.meta.url));
const root = join(package_, "../..");

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

function run(
  file: string,
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [file, ...args], {
    encoding: "utf8",
    cwd: folder.path,
    env: { ...process.env, XDG_CACHE_HOME: join(folder.path, "cache") },
  });
}

function page(): string {
  return readFileSync(join(root, "docs/training.md"), "utf8");
}

describe("training", () => {
  test("docs/training.md and train --help list every field of every event", () => {
    const help = run(program, ["train", "--help"]).stdout;
    for (const [type, fields] of Object.entries(EVENT_FIELDS))
      for (const [name, text] of Object.entries(fields)) {
        expect(page()).toContain(`\n| \`${type}\` | \`${name}\` | ${text} |\n`);
        expect(help).toMatch(new RegExp(`    ${name} +${text.replaceAll(/[.()]/g, ".")}`));
      }
  });

  const recipes = readdirSync(join(root, "recipes")).filter((name) => name.endsWith(".yaml"));

  test.each(recipes)("recipes/%s is whole, and begins with its launch command", (name) => {
    const file = join(root, "recipes", name);
    const text = readFileSync(file, "utf8");
    expect(readRecipe(file).output).toBe(`runs/${name.replace(".yaml", "")}`);
    const comments = text.slice(0, text.search(/^[^#]/m));
    expect(comments).toContain(`\n# promptloss train recipes/${name}`);
  });

  test.each([
    ["short-completions.yaml", "rows.json"],
    ["lora.yaml", "rows.json"],
    ["pretrain.yaml", "stories.txt"],
    ["alpaca-paper.yaml", "rows.json"],
    ["paper.yaml", "rows.json"],
    ["instruction-modelling.yaml", "rows.json"],
  ])("recipes/%s runs on a tiny model", (name, data) => {
    const stories = Array.from({ length: 40 }, (_, i) => `Once there were ${i} red stones.\nThey lay still.`);
    writeFileSync(join(folder.path, "stories.txt"), stories.join("\n\n"));
    const output = join(folder.path, name);
    const set = [
      `model=${join(folder.path, "model")}`,
      `data.0.path=${join(folder.path, data)}`,
      `output=${output}`,
    ];
    if (name === "pretrain.yaml")
      set.push("training.steps=4", "training.warmupSteps=1", "training.batchTokens=256");
    // So few rows have few inputs, each of which several share.
    if (name === "short-completions.yaml" || name === "lora.yaml") set.push("evaluation.unit=row");
    const args = set.flatMap((each) => ["--set", each]);
    const { status, stdout, stderr } = run(program, ["train", join(root, "recipes", name), ...args]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("done after");
    expect(existsSync(join(output, "model"))).toBe(true);
  });
});
