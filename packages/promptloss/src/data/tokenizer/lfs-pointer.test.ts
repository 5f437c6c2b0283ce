// A clone without git-lfs has pointers in place of large files: every reader of a model folder names them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readGenerationDefaults } from "../../generation/text/generation-config.ts";
import { readModelConfig } from "../../models/config/read-config.ts";
import { loadTokenizer } from "./index.ts";

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pointer-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each(["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])(
  "%s of a tokenizer",
  async (name) => {
    writeFileSync(join(folder, "tokenizer.json"), "{}");
    writeFileSync(join(folder, name), POINTER);
    await expect(loadTokenizer(folder)).rejects.toMatchObject({
      message: `${join(folder, name)}: is a Git LFS pointer, not the file itself`,
      hint: "fetch the file: git lfs pull in its folder, or download it again",
    });
  },
);

test("generation_config.json of a model", () => {
  writeFileSync(join(folder, "generation_config.json"), POINTER);
  expect(() => readGenerationDefaults(folder)).toThrow("generation_config.json: is a Git LFS pointer");
});

test("config.json of a model", () => {
  writeFileSync(join(folder, "config.json"), POINTER);
  expect(() => readModelConfig(folder)).toThrow("config.json: is a Git LFS pointer");
});
