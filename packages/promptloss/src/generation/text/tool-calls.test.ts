// The form of calls, found out from chat templates, and calls read from texts.
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { sharedPath } from "../../../test/shared.ts";
import { TINY_BYTES } from "../../../test/tokenizers.ts";
import { ChatTemplate } from "../../data/templates/chat-template.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { TokenMasks, TokenTree } from "../grammar/index.ts";
import { AutoCalls, callForm, callMark, callsGrammar, readCalls } from "./tool-calls.ts";

const tokenizer = await loadTokenizer(TINY_BYTES);

function formOf(name: string) {
  const { path, special, specialTexts, prefixIds, stopIds } = tokenizer;
  const tokenOf = tokenizer.tokenOf.bind(tokenizer);
  const chatTemplate = readFileSync(
    new URL(`../../../test/chat-templates/${name}.jinja`, import.meta.url),
    "utf8",
  );
  const known = { path, special, specialTexts, prefixIds, stopIds, tokenOf };
  return callForm(new ChatTemplate({ ...known, chatTemplate, chatTemplateNames: [] }));
}

test("the form of calls is what the template writes around names and arguments", () => {
  expect(formOf("thinking")).toEqual({
    begin: '<think>\n\n</think>\n\n\n<tool_call>\n{"name": "',
    middle: '", "arguments": ',
    between: '}\n</tool_call>\n<tool_call>\n{"name": "',
    end: "}\n</tool_call>",
  });
  expect(callMark(formOf("thinking")!)).toBe("<tool_call>");
  expect(callForm(createTemplate("chatml", tokenizer))).toBeUndefined();
  expect(
    ["json-calls", "bracket-calls", "tag-calls", "word-calls"].map((name) => [name, formOf(name)]),
  ).toMatchInlineSnapshot(`
    [
      [
        "json-calls",
        {
          "begin": "{"name": "",
          "between": undefined,
          "end": "}",
          "middle": "", "parameters": ",
        },
      ],
      [
        "bracket-calls",
        {
          "begin": "[TOOL_CALLS] [{"name": "",
          "between": ", "id": "call00000"}, {"name": "",
          "end": ", "id": "call00000"}]",
          "middle": "", "arguments": ",
        },
      ],
      [
        "tag-calls",
        {
          "begin": "
    <tool_call>
    {"name": "",
          "between": "}
    </tool_call>
    <tool_call>
    {"name": "",
          "end": "}
    </tool_call>",
          "middle": "", "arguments": ",
        },
      ],
      [
        "word-calls",
        undefined,
      ],
    ]
  `);
});

describe("readCalls", () => {
  const form = {
    begin: '<tool_call>\n{"name": "',
    middle: '", "arguments": ',
    between: '}\n</tool_call>\n<tool_call>\n{"name": "',
    end: "}\n</tool_call>",
  };
  const names = new Set(["stock", "price"]);

  it("reads calls behind words, and leaves what is none", () => {
    const two =
      'Let me see.\n<tool_call>\n{"name": "stock", "arguments": {"item": "}\\"{"}}\n</tool_call>\n<tool_call>{"name":"price","arguments":{}}</tool_call>';
    expect(readCalls(two, form, names)).toEqual({
      content: "Let me see.",
      calls: [
        { name: "stock", arguments: '{"item":"}\\"{"}' },
        { name: "price", arguments: "{}" },
      ],
    });
    for (const none of [
      "There are 3.",
      '<tool_call>\n{"name": "other", "arguments": {}}\n</tool_call>',
      '<tool_call>\n{"name": "stock", "arguments": [1]}\n</tool_call>',
      '<tool_call>\n{"name": "stock", "argum',
      '{"name": "stock", "arguments": {}}',
    ])
      expect(readCalls(none, form, names)).toBeUndefined();
    const bare = { ...form, begin: '{"name": "', between: undefined, end: "}" };
    expect(readCalls(' {"name": "stock", "parameters": {"a": 1}}', bare, names)).toEqual({
      content: "",
      calls: [{ name: "stock", arguments: '{"a":1}' }],
    });
  });

  it("reads what the grammar makes, call by call, and words are free until a call begins", () => {
    const functions = [
      {
        name: "stock",
        parameters: { type: "object", properties: { item: { enum: ["jar", "lid"] } }, required: ["item"] },
      },
      { name: "price" },
    ];
    const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
    const tree = new TokenTree(257, (id) => bytes[id] ?? Buffer.from('<tool_call>\n{"na'));
    const text = `${form.begin}stock${form.middle}{"item":"lid"}${form.between}price${form.middle}{"a": [1]}${form.end}`;
    const held = new TokenMasks(callsGrammar(form, functions, { several: true }), tree).constraint();
    for (const byte of Buffer.from(text)) {
      expect(held.allowed[byte]).toBe(1);
      held.accept(byte);
    }
    // Another call may follow.
    expect([held.mayEnd, held.complete]).toEqual([true, false]);
    expect(readCalls(text, form, names)?.calls).toHaveLength(2);
    const one = new TokenMasks(callsGrammar(form, functions, { several: false }), tree).constraint();
    for (const byte of Buffer.from(`${form.begin}price${form.middle}{}${form.end}`)) one.accept(byte);
    expect(one.complete).toBe(true);

    const auto = AutoCalls.of(form)!;
    for (const mark of [[256], [...Buffer.from('<tool_call>\n{"na')]]) {
      const free = auto.constraint(new TokenMasks(auto.grammar(functions, { several: true }), tree));
      for (const id of [...Buffer.from("Hm <tool_"), ...mark]) {
        expect(free.allowed.every((each) => each === 1)).toBe(true);
        expect(free.mayEnd).toBe(true);
        free.accept(id);
        if (free.allowed.includes(0)) break;
      }
      if (mark.length > 1) for (const byte of Buffer.from('\n{"na')) free.accept(byte);
      expect(free.mayEnd).toBe(false);
      expect([...free.allowed.keys()].filter((id) => free.allowed[id] === 1)).toEqual(
        [..."m"].map((c) => c.charCodeAt(0)),
      );
    }
  });
});

const qwen = sharedPath("tokenizers", "qwen2.5");
const llama = sharedPath("tokenizers", "llama3");
needs("shared", qwen).test("the forms of Qwen's and LLaMA's calls", async () => {
  const forms = [];
  for (const path of [qwen, llama])
    forms.push(callForm(createTemplate("tokenizer", await loadTokenizer(path!))));
  expect(forms).toMatchInlineSnapshot(`
    [
      {
        "begin": "<tool_call>
    {"name": "",
        "between": "}
    </tool_call>
    <tool_call>
    {"name": "",
        "end": "}
    </tool_call>",
        "middle": "", "arguments": ",
      },
      undefined,
    ]
  `);
});
