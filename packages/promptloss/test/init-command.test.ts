// `promptloss init`: the recipe that it writes trains as it stands. `promptloss completion`: scripts that shells take.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { completionCommand } from "../src/cli/completion.ts";
import { initCommand } from "../src/cli/init.ts";
import { loadModel } from "../src/models/index.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { runTraining } from "../src/training/index.ts";
import { promptloss } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());
afterEach(() => vi.restoreAllMocks());

async function printed(run: () => Promise<unknown>): Promise<string> {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  await run();
  return write.mock.calls.map(([text]) => String(text)).join("");
}

function init(...args: string[]) {
  return printed(() => initCommand(new Command("init")).exitOverride().parseAsync(args, { from: "user" }));
}

test("init writes a recipe with comments that trains as it stands", async () => {
  const file = join(folder.path, "new.yaml");
  const given = ["--data", join(folder.path, "rows.json"), "--model", join(folder.path, "model"), "-o", file];
  expect(await init(...given, "--aim", "Colors.")).toContain("24 rows");
  expect(readFileSync(file, "utf8")).toMatch(/^# Colors\.\n# promptloss train /);
  const { output: _output, ...recipe } = readRecipe(file, { set: ["training.epochs=1"] });
  const { manifest } = await runTraining({ ...recipe, output: join(folder.path, "run") });
  expect([manifest.end?.reason, manifest.rows + manifest.heldOutRows]).toEqual(["completed", 24]);
  await expect(init(...given)).rejects.toThrow("is there already");
});

test("init --json prints what was written, and nothing else; errors are JSON too", () => {
  const file = join(folder.path, "as-json.yaml");
  const model = join(folder.path, "model");
  const given = ["init", "--data", join(folder.path, "rows.json"), "--model", model, "-o", file, "--json"];
  const first = promptloss(given);
  expect([first.status, first.stderr]).toEqual([0, ""]);
  const facts = JSON.parse(first.stdout);
  expect(facts).toMatchObject({ output: file, rows: 24, positions: 256, template: "tokenizer" });
  expect(Object.keys(facts).sort()).toEqual(
    ["output", "rows", "longest", "positions", "parameters", "template"].sort(),
  );
  const { parameters } = loadModel(model);
  const count = [...parameters.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  expect(facts.parameters).toBe(count);
  expect(facts.longest).toBeLessThanOrEqual(256);
  expect(readRecipe(file).training.epochs).toBe(3);
  const again = promptloss(given);
  expect([again.status, again.stdout]).toEqual([1, ""]);
  expect(JSON.parse(again.stderr)).toMatchObject({
    error: { message: `${file} is there already`, hint: "name another with -o, or give --force" },
  });
});

test("init asks nobody where there is no terminal", async () => {
  await expect(init("--model", join(folder.path, "model"))).rejects.toThrow("init needs --data");
});

test.each(["bash", "zsh"])("completion: %s proposes commands and options", async (shell) => {
  const script = await printed(() =>
    completionCommand(new Command("completion")).parseAsync([shell], { from: "user" }),
  );
  if (shell === "zsh") return expect(script).toMatch(/^autoload -U \+X bashcompinit/);
  const completed = (words: readonly string[]): string => {
    const ask = `COMP_WORDS=(${words.join(" ")} ""); COMP_CWORD=${words.length}; _promptloss; echo "\${COMPREPLY[@]}"`;
    return spawnSync("bash", ["-c", `${script}\n${ask}`], { encoding: "utf8" }).stdout;
  };
  expect(completed(["promptloss"])).toMatch(/\btrain\b.*\bstudy\b/);
  expect(completed(["promptloss", "train"])).toContain("--dry-run");
  expect(completed(["promptloss", "study"])).toContain("plan");
  expect(completed(["promptloss", "study", "plan"])).toContain("--measure");
});
