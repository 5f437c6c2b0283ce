// GGUF files as a user gives them to commands.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { resolveModelPaths } from "../src/generation/text/model-folder.ts";
import { modelFolder } from "../src/models/index.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { promptloss } from "./command.ts";
import { writeTinyGguf } from "./gguf-files.ts";
import { tinyGolden } from "./tiny-models.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-command-"));
const file = join(folder, "tiny.gguf");
beforeAll(() => writeTinyGguf(tinyGolden("llama"), file));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache")));
afterEach(() => vi.unstubAllEnvs());

test("import writes a folder, and none over one that is there unless told to", () => {
  const output = join(folder, "tiny");
  const { status, stdout, stderr } = promptloss(["import", file, "-o", output]);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: `! ${file}: has no tokenizer; the folder has none either\n`,
  });
  expect(stdout).toMatch(new RegExp(`^${output}: llama, [\\d.]+( k)? parameters, float32, \\d+ MiB\\n$`));
  expect(readdirSync(output).sort()).toEqual(["config.json", "model.safetensors"]);
  const again = promptloss(["import", file, "-o", output]);
  expect(again.status).toBe(1);
  expect(again.stderr).toContain("is there already");
  const other = promptloss(["import", file, "-o", output, "--overwrite", "--dtype", "bfloat16", "--json"]);
  expect(JSON.parse(other.stdout)).toMatchObject({ output, file, architecture: "llama", dtype: "bfloat16" });
});

test("what is no GGUF file is an error with its path", () => {
  const path = join(folder, "none.gguf");
  writeFileSync(path, "not a model");
  const { status, stderr } = promptloss(["import", path, "-o", join(folder, "none")]);
  expect(status).toBe(1);
  expect(stderr).toContain(`error: ${path}: is no GGUF file`);
  expect(existsSync(join(folder, "none"))).toBe(false);
  const missing = join(folder, "missing.gguf");
  expect(promptloss(["import", missing, "-o", join(folder, "none")]).stderr).toBe(
    `error: ${missing}: there is no such file\n`,
  );
});

test("a path of a file is a folder in the cache, made once; a folder's path stays", () => {
  const made = modelFolder(file);
  expect(made.startsWith(join(folder, "cache", "promptloss", "models", "tiny-"))).toBe(true);
  const config = readFileSync(join(made, "config.json"), "utf8");
  writeFileSync(join(made, "config.json"), `${config} `);
  expect(modelFolder(file)).toBe(made);
  expect(readFileSync(join(made, "config.json"), "utf8")).toBe(`${config} `);
  expect(modelFolder(folder)).toBe(folder);
  expect(modelFolder(join(folder, "missing.gguf"))).toBe(join(folder, "missing.gguf"));
  expect(resolveModelPaths(file).model).toBe(made);
});

test("a recipe's model and tokenizer may be files, beside it too", () => {
  const recipe = join(folder, "recipe.yaml");
  writeFileSync(
    recipe,
    "model: tiny.gguf\ntokenizer: tiny.gguf\ndata: rows.json\noutput: out\ntraining: { steps: 1 }\n",
  );
  const { model, tokenizer } = readRecipe(recipe);
  expect(model).toBe(modelFolder(file));
  expect(tokenizer).toBe(model);
});
