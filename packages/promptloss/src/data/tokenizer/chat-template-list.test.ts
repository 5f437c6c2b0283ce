// Chat templates that a tokenizer lists by name: the default is taken; without one transformers refuses, and so do we.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/row-files.ts";
import { TINY_BYTES } from "../../../test/tokenizers.ts";
import { createTemplate } from "../templates/index.ts";
import { loadTokenizer } from "./index.ts";

function loaded(templates: unknown) {
  const folder = temporaryFolder();
  copyFileSync(join(TINY_BYTES, "tokenizer.json"), join(folder, "tokenizer.json"));
  const config = JSON.parse(readFileSync(join(TINY_BYTES, "tokenizer_config.json"), "utf8"));
  writeFileSync(
    join(folder, "tokenizer_config.json"),
    JSON.stringify({ ...config, chat_template: templates }),
  );
  return loadTokenizer(folder);
}

function named(name: string) {
  return { name, template: `{{ '${name}' }}` };
}

test("the one named default is taken, wherever it stands", async () => {
  const { chatTemplate } = await loaded([named("rag"), named("default")]);
  expect(chatTemplate).toBe("{{ 'default' }}");
});

test("several without a default are refused where one is needed, by their names", async () => {
  const tokenizer = await loaded([named("rag"), named("tool_use")]);
  expect(tokenizer.chatTemplate).toBeUndefined();
  expect(() => createTemplate("tokenizer", tokenizer)).toThrow(
    /has several chat templates and no default: rag, tool_use/,
  );
  expect(createTemplate("chatml", tokenizer).name).toBe("chatml");
});
