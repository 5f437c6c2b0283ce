// Outputs that would overwrite what a command reads, and outputs that can't be written, as a user meets them.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
function at(...parts: string[]): string {
  return join(folder.path, ...parts);
}
beforeAll(() => {
  folder = trainingFolder();
  cpSync(at("model"), at("run", "model"), { recursive: true });
  symlinkSync(at("run"), at("link"));
});
afterAll(() => folder.remove());

/** The first line of a command that fails. */
function failure(...args: string[]): string {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder.path,
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: at("cache") },
    timeout: 60_000,
  });
  expect(status).toBe(1);
  expect(stderr).not.toMatch(/\n {4}at /);
  return stderr.split("\n")[0]!.replaceAll(folder.path, "FOLDER");
}

describe("outputs", () => {
  test("train --overwrite leaves a model inside its output alone, behind links too", () => {
    writeFileSync(at("r.yaml"), "model: run/model\ndata: rows.json\ntraining: { steps: 1 }\n");
    const before = readdirSync(at("run", "model"));
    for (const output of ["run", "link"])
      expect(failure("train", "r.yaml", "--overwrite", "--set", `output=${output}`)).toBe(
        `error: ${output}/model: would overwrite the model, run/model`,
      );
    expect(readdirSync(at("run", "model"))).toEqual(before);
  });

  test("invert, inspect and judge do not write over their data", () => {
    const rows = readFileSync(at("rows.json"), "utf8");
    expect(failure("invert", "rows.json", "--tokenizer", "model", "-o", "rows.json")).toBe(
      "error: rows.json: would overwrite data, rows.json",
    );
    expect(failure("inspect", "rows.json", "--tokenizer", "model", "--html", "rows.json")).toBe(
      "error: rows.json: would overwrite data, rows.json",
    );
    expect(
      failure(
        ...["judge", "rows.json", "--reference", "rows.json", "--protocol", "pandalm"],
        ...["--model", "model", "--records", "rows.json"],
      ),
    ).toBe("error: rows.json: would overwrite the outputs, rows.json");
    expect(
      failure(...["init", "--data", "rows.json", "--model", "model", "-o", "rows.json", "--force"]),
    ).toBe("error: rows.json: would overwrite data, rows.json");
    expect(readFileSync(at("rows.json"), "utf8")).toBe(rows);
  });

  test("inspect, invert and init do not write into a model's folder", () => {
    const config = readFileSync(at("model", "config.json"), "utf8");
    const output = "model/config.json";
    const refused = `error: ${output}: would be written into the`;
    const data = ["rows.json", "--tokenizer", "model"];
    expect(failure("inspect", ...data, "--html", output)).toBe(`${refused} tokenizer, model`);
    expect(failure("invert", ...data, "-o", output)).toBe(`${refused} tokenizer, model`);
    expect(failure("init", "--data", "rows.json", "--model", "model", "-o", output, "--force")).toBe(
      `${refused} model, model`,
    );
    expect(readFileSync(at("model", "config.json"), "utf8")).toBe(config);
  });

  test("a file in the way, and a place where nothing can be made, are told at once", () => {
    const recipe = folder.recipe("places", "training: { steps: 1 }\n");
    const output = (path: string): string => failure("train", recipe, "--set", `output=${path}`);
    expect(output("rows.json")).toBe("error: rows.json: is a file, and a folder is needed");
    expect(output("rows.json/run")).toBe("error: rows.json/run: rows.json is a file, and a folder is needed");
    if (existsSync("/proc/self")) expect(output("/proc/run/a")).toMatch(/^error: \/proc\/run\/a: /);
  });
});
