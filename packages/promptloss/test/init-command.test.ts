// `promptloss init`: the recipe that it writes trains as it stands. `promptloss completion`: scripts that shells take.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { needs } from "../../../test/needs.ts";
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

function runs(shell: string): boolean {
  return spawnSync(shell, ["--version"]).status === 0;
}

function completion(shell: string): Promise<string> {
  return printed(() => completionCommand(new Command("completion")).parseAsync([shell], { from: "user" }));
}

test("completion: bash proposes commands and options", async () => {
  const script = await completion("bash");
  const completed = (words: readonly string[]): string => {
    const ask = `COMP_WORDS=(${words.join(" ")} ""); COMP_CWORD=${words.length}; _promptloss; echo "\${COMPREPLY[@]}"`;
    return spawnSync("bash", ["-c", `${script}\n${ask}`], { encoding: "utf8" }).stdout;
  };
  expect(completed(["promptloss"])).toMatch(/\btrain\b.*\bstudy\b/);
  expect(completed(["promptloss", "train"])).toContain("--dry-run");
  expect(completed(["promptloss", "study"])).toContain("plan");
  expect(completed(["promptloss", "study", "plan"])).toContain("--measure");
});

needs("zsh", runs("zsh")).test(
  "completion: zsh proposes them too, also where nothing is loaded",
  async () => {
    // What zsh does for a line that is typed on a terminal; it then keeps what begins as that does.
    const ask = "COMP_WORDS=(promptloss study plan --me); COMP_CWORD=3; compgen -F _promptloss -- --me";
    const script = `${await completion("zsh")}\nprint -r -- $_comps[promptloss]\n${ask}`;
    const { stdout, stderr } = spawnSync("zsh", ["-f", "-c", script], { encoding: "utf8" });
    expect(stderr).toBe("");
    const [registered, ...proposed] = stdout.split("\n");
    expect(registered).toBe("_bash_complete -o default -F _promptloss");
    expect(proposed).toContain("--measure");
    expect(proposed).not.toContain("train");
  },
);

needs("fish", runs("fish")).test("completion: fish proposes them too", async () => {
  const script = await completion("fish");
  const completed = (line: string): string[] => {
    const ask = `${script}\ncomplete -C '${line}'`;
    return spawnSync("fish", ["--no-config", "-c", ask], { encoding: "utf8", cwd: folder.path }).stdout.split(
      "\n",
    );
  };
  expect(completed("promptloss tr")).toContain("train");
  expect(completed("promptloss train --dr")).toContain("--dry-run");
  expect(completed("promptloss study p")).toContain("plan");
  expect(completed("promptloss study plan --me")).toContain("--measure");
  expect(completed("promptloss study plan re")).not.toContain("report");
});
