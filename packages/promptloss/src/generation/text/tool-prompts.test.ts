// Prompts that are conversations with tools: what the model is given, and what is refused.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TINY_BYTES } from "../../../test/tokenizers.ts";
import { readPrompts } from "../../cli/generation/prompts.ts";
import { ChatTemplate } from "../../data/templates/chat-template.ts";
import { createTemplate, type Template } from "../../data/templates/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { checkPrompt, promptIds, type TextPrompt, type ToolMessage } from "./prompts.ts";

const ask: ToolMessage = { role: "user", content: "How many jars are there?" };
const call: ToolMessage = {
  role: "assistant",
  content: null,
  reasoning_content: "The stock tells.",
  tool_calls: [{ id: "a", type: "function", function: { name: "stock", arguments: '{"item":"jar"}' } }],
};
const result: ToolMessage = { role: "tool", tool_call_id: "a", content: '{"count":3}' };
const parameters = { type: "object", properties: {} };
const tools = [{ type: "function", function: { name: "stock", description: "How many.", parameters } }];

const tokenizer = await loadTokenizer(TINY_BYTES);
const { path, special, specialTexts, prefixIds, stopIds } = tokenizer;

function templateOf(chatTemplate: string): Template {
  const tokenOf = tokenizer.tokenOf.bind(tokenizer);
  const known = { path, special, specialTexts, prefixIds, stopIds, tokenOf };
  return new ChatTemplate({ ...known, chatTemplate, chatTemplateNames: [] });
}

const thinking = templateOf(
  readFileSync(new URL("../../../test/chat-templates/thinking.jinja", import.meta.url), "utf8"),
);

async function given(prompt: TextPrompt, template: Template): Promise<string> {
  checkPrompt(prompt, 0);
  return tokenizer.decode(await promptIds(prompt, tokenizer, template));
}

test("a conversation with tools goes to the model as its chat template writes it", async () => {
  const text = await given({ messages: [ask, call, result], tools }, thinking);
  for (const part of [
    "<tools>",
    '"stock"',
    "The stock tells.",
    "<tool_call>",
    '<tool_response>\n{"count":3}',
  ])
    expect(text).toContain(part);
  expect(text.trimEnd().endsWith("assistant")).toBe(true);
});

test("what a template would not show is refused", async () => {
  const words = templateOf(
    "{% for m in messages %}{% if m.content %}{{ m.content }}\n{% endif %}{% endfor %}A:",
  );
  await expect(given({ messages: [ask], tools }, words)).rejects.toThrow(
    /does not show the conversation's tools/,
  );
  await expect(given({ messages: [ask, call, result] }, words)).rejects.toThrow(/the conversation's calls/);
  const named = createTemplate("chatml", tokenizer);
  await expect(given({ messages: [ask], tools }, named)).rejects.toThrow(/tools/);
  await expect(given({ messages: [ask, call, result] }, named)).rejects.toThrow(/chatml/);
});

test("rows of data with tools are prompts up to the last answer", async () => {
  const place = mkdtempSync(join(tmpdir(), "tool-prompts-"));
  try {
    const file = join(place, "rows.jsonl");
    const answer = { role: "assistant", content: "There are 3." };
    const messages = [ask, call, result];
    const row = (more: object) => `${JSON.stringify({ messages: [...messages, answer], ...more })}\n`;
    writeFileSync(file, row({ tools }) + row({ tools: JSON.stringify(tools) }));
    const read = (system?: string) => readPrompts({ given: [], files: [file], stdin: false, system });
    expect(await read()).toEqual([
      { messages, tools },
      { messages, tools },
    ]);
    const first = { role: "system", content: "Be brief." };
    expect((await read("Be brief."))[0]).toEqual({ messages: [first, ...messages], tools });
    writeFileSync(file, row({ tools: "stock" }));
    await expect(read()).rejects.toThrow(/rows.jsonl, line 1: tools is no list of functions/);
  } finally {
    rmSync(place, { recursive: true });
  }
});

test("messages that are no conversation are named", () => {
  const failing =
    (messages: readonly unknown[], more: readonly unknown[] = tools) =>
    () =>
      checkPrompt({ messages, tools: more } as TextPrompt, 2);
  expect(failing([ask, call])).toThrow(/prompt 3: the last message is not the user's, nor a tool's result/);
  expect(failing([result])).toThrow(/prompt 3: messages/);
  expect(failing([ask, { ...call, tool_calls: [{ type: "function" }] }, result])).toThrow(
    /messages\[1\].tool_calls\[0\]/,
  );
  expect(failing([ask], [{ type: "function" }])).toThrow(/tools\[0\]/);
});
