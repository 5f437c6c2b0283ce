// Rows that a run leaves out under onBadRow: skip, whoever refuses them: reading, the template or the weights.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
  const good = Array.from({ length: 20 }, (_, i) => ({ instruction: `Count to ${i}.`, output: `${i}` }));
  const bad = [
    { instruction: "Say five.", output: 5 },
    { instruction: "Say nothing.", output: "" },
    { instruction: "And now?", history: [["Hello", "Hi"]], output: "Bye" },
    { instruction: "Learn nothing.", output: "of this", weight: 0 },
  ];
  writeFileSync(join(folder.path, "rows.json"), JSON.stringify([...good, ...bad]));
});
afterAll(() => folder.remove());

function dryRun(recipe: string): string[] {
  const { stdout } = spawnSync(process.execPath, [program, "train", recipe, "--dry-run"], {
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: join(folder.path, "cache") },
  });
  return stdout.replaceAll(`${folder.path}/`, "").split("\n");
}

describe("rows left out of a run", () => {
  test("are counted by cause, when the token cache is built and when it is read", () => {
    const recipe = folder.recipe("skipping", "onBadRow: skip\nloss: { promptLossWeight: 0.1 }\n");
    const expected = expect.arrayContaining([
      expect.stringContaining("20 rows"),
      "! 1 row with an empty completion was left out",
      '! 3 bad rows were left out: 1 wrong-type, 1 template, 1 untrained; rows.json, row 21, field "output": text was expected, found the number 5',
    ]);
    expect(dryRun(recipe)).toEqual(expected);
    expect(dryRun(recipe)).toEqual(expected);
  });
});
