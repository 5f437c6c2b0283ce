// Modelfiles for Ollama from our templates and from chat templates.
import { expect, test } from "vitest";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { modelfileOf } from "./modelfile.ts";

test("a chat template with a system turn: both layouts, and every stop token", async () => {
  const tokenizer = await loadTokenizer(TINY_BYTES);
  const { text, notes } = modelfileOf("./m.gguf", createTemplate("tokenizer", tokenizer), tokenizer);
  expect(notes).toEqual([]);
  expect(text).toContain("FROM ./m.gguf\n");
  expect(text).toContain(
    "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n{{ else }}",
  );
  expect(text).toContain("{{ end }}{{ .Response }}<|im_end|>");
  expect(text).toContain('PARAMETER stop "<|im_end|>"\n');
  expect(text).toContain('PARAMETER stop "<|endoftext|>"\n');
});

test("strings of one's own; what Go would take for its own stays text; an adapter over its base", async () => {
  const tokenizer = await loadTokenizer(TINY_PIECES);
  const spec = { user: "{{Q}} {instruction}\n", assistant: "A: {output}" };
  const template = createTemplate(spec, tokenizer);
  const { text } = modelfileOf("./base.gguf", template, tokenizer, { adapter: "./lora.gguf" });
  expect(text).toContain("FROM ./base.gguf\nADAPTER ./lora.gguf\n");
  expect(text).toContain('PARAMETER stop "</s>"');
  expect(text).toContain("{{ .Prompt }}");
});
