import { describe, expect, it } from "vitest";
import { file, jsonl, read, rowFailure, withoutSource } from "../../../../test/row-files.ts";
import type { DataErrorReason } from "../data-error.ts";
import { loadExamples } from "../read-examples.ts";

const q = { role: "user", content: "Q" };
const a = { role: "assistant", content: "A" };
const tool = { type: "function", function: { name: "f", parameters: {} } };

function call(given: unknown, more: object = {}) {
  return { type: "function", function: { name: "f", arguments: given }, ...more };
}

// biome-ignore lint/suspicious/noExplicitAny: drafts of any shape
async function drafts(...rows: readonly unknown[]): Promise<any[]> {
  return withoutSource(await read("rows.jsonl", jsonl(...rows)));
}

const calling = {
  role: "assistant",
  parts: [{ class: "completion", text: "" }],
  toolCalls: [{ name: "f", arguments: '{"x":1}' }],
};
const result = { role: "tool", parts: [{ class: "tool-result", text: "R" }] };
const user = { role: "user", parts: [{ class: "instruction", text: "Q" }] };
const answer = { role: "assistant", parts: [{ class: "completion", text: "A" }] };

describe("the same conversation", () => {
  it.each<[string, unknown]>([
    [
      "OpenAI's",
      {
        messages: [
          q,
          { role: "assistant", tool_calls: [call('{"x":1}')] },
          { role: "tool", content: "R" },
          a,
        ],
      },
    ],
    [
      "OpenAI's, with objects and content null",
      {
        messages: [
          q,
          {
            role: "assistant",
            content: null,
            tool_calls: [call({ x: 1 })],
            function_call: null,
            refusal: null,
          },
          { role: "tool", content: [{ type: "text", text: "R" }] },
          a,
        ],
      },
    ],
    [
      "OpenAI's former one",
      {
        messages: [
          q,
          { role: "assistant", content: null, function_call: { name: "f", arguments: '{"x":1}' } },
          { role: "function", content: "R" },
          a,
        ],
      },
    ],
    [
      "ShareGPT's",
      {
        conversations: [
          { from: "human", value: "Q" },
          { from: "function_call", value: '{"name": "f", "arguments": {"x":1}}' },
          { from: "observation", value: "R" },
          { from: "gpt", value: "A" },
        ],
      },
    ],
    [
      "Hermes'",
      {
        conversations: [
          { from: "human", value: "Q" },
          { from: "gpt", value: '<tool_call>\n{"arguments": {"x":1}, "name": "f"}\n</tool_call>\n' },
          { from: "tool", value: "<tool_response>\nR\n</tool_response>" },
          { from: "gpt", value: "A" },
        ],
      },
    ],
  ])("is read from %s rows", async (_, row) => {
    expect(await drafts(row)).toEqual([{ kind: "conversation", turns: [user, calling, result, answer] }]);
  });

  it("is one call of xLAM's", async () => {
    const row = {
      query: "Q",
      answers: '[{"name": "f", "arguments": {"x":1}}]',
      tools: '[{"name":"f"}]',
      id: 3,
    };
    expect(await drafts(row)).toEqual([
      {
        kind: "conversation",
        turns: [user, calling],
        tools: ['{"type":"function","function":{"name":"f"}}'],
      },
    ]);
  });
});

it("keeps ids, names, words before a call, several calls, weights and reasoning", async () => {
  const [row] = await drafts({
    messages: [
      q,
      {
        role: "assistant",
        content: "W",
        weight: 0,
        reasoning_content: "T",
        tool_calls: [call({}, { id: "1" }), call("", { id: "2" })],
      },
      { role: "tool", content: "R", tool_call_id: "2", name: "f" },
      { ...a, weight: 1 },
    ],
    tools: [tool],
    parallel_tool_calls: true,
  });
  expect(row.turns[1]).toEqual({
    role: "assistant",
    parts: [{ class: "completion", text: "W" }],
    weight: 0,
    reasoning: "T",
    toolCalls: [
      { id: "1", name: "f", arguments: "{}" },
      { id: "2", name: "f", arguments: "{}" },
    ],
  });
  expect(row.turns[2]).toMatchObject({ toolCallId: "2", name: "f" });
  expect(row.tools).toEqual([JSON.stringify(tool)]);
});

it("keeps the spelling of numbers and the order of keys, in objects and in text", async () => {
  const spelled = '{"b": 1.0, "10": 1e-7, "9": 12345678901234567890}';
  const text = [
    `{"messages": [${JSON.stringify(q)}, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": ${spelled}}}]}], "tools": [{"name": "f", "parameters": ${spelled}}]}`,
    `{"messages": [${JSON.stringify(q)}, {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": ${JSON.stringify(spelled)}}}]}], "tools": ${JSON.stringify(`[{"name": "f", "parameters": ${spelled}}]`)}}`,
  ];
  for (const row of withoutSource(await read("rows.jsonl", text.join("\n")))) {
    expect(row).toMatchObject({
      turns: [{}, { toolCalls: [{ arguments: spelled }] }],
      tools: [`{"type":"function","function":{"name": "f", "parameters": ${spelled}}}`],
    });
  }
});

it("makes reasoning at the beginning of the words a part of its own", async () => {
  const words = "<think>\nT\n</think>\n\nA";
  const [row] = await drafts({ messages: [q, { role: "assistant", content: words }] });
  expect(row.turns[1].parts).toEqual([
    { class: "completion", text: "<think>\n" },
    { class: "reasoning", text: "T" },
    { class: "completion", text: "\n</think>\n\nA" },
  ]);
});

it("splits what one message gives back of several calls", async () => {
  const value = "<tool_response>1</tool_response>\n<tool_response>\n2\n</tool_response>";
  const conversations = [
    { from: "human", value: "Q" },
    {
      from: "gpt",
      value:
        '<tool_call>{"name":"f","arguments":{}}</tool_call><tool_call>{"name":"g","arguments":{}}</tool_call>',
    },
    { from: "tool", value },
    { from: "gpt", value: "A" },
  ];
  const [row] = await drafts({ conversations });
  expect(row.turns.map(({ role }: { role: string }) => role)).toEqual([
    "user",
    "assistant",
    "tool",
    "tool",
    "assistant",
  ]);
  expect(row.turns[1].toolCalls).toHaveLength(2);
});

it("counts what it does not take as it stands", async () => {
  const system = { role: "system", content: 'Call them: <tools> [{"name": "f"}] </tools>' };
  const odd = { role: "assistant", content: "<tool_call>{'name': 'f'}</tool_call>" };
  const path = file("rows.jsonl", jsonl({ messages: [system, q, odd], tools: [tool] }));
  const { examples, report } = await loadExamples({ path });
  expect(examples[0]).toMatchObject({
    turns: [{ parts: [{ class: "system" }, { class: "tool-definition" }, { class: "system" }] }, {}, {}],
  });
  expect(examples[0]).not.toHaveProperty("tools");
  expect(report.notes).toEqual([
    "messages whose <tool_call> is no call in JSON at their end, and stays a part of the words: 1",
    "rows whose system message spells the tools out, so that their tools column is not written again: 1",
  ]);
});

it.each<[DataErrorReason, string, unknown]>([
  [
    "tool-call",
    "messages[1].tool_calls[0].function.arguments",
    { messages: [q, { ...a, tool_calls: [call("{")] }] },
  ],
  [
    "tool-call",
    "messages[1].tool_calls[0].function.arguments",
    { messages: [q, { ...a, tool_calls: [call("[1]")] }] },
  ],
  ["wrong-type", "messages[1].tool_calls[0].name", { messages: [q, { ...a, tool_calls: [{ id: 1 }] }] }],
  ["unsupported", "messages[1].tool_calls[0]", { messages: [q, { ...a, tool_calls: [{ type: "custom" }] }] }],
  ["unsupported", "messages[0].tool_calls", { messages: [{ ...q, tool_calls: [call({})] }, a] }],
  ["unsupported", "messages[0].thinking", { messages: [{ ...q, thinking: "T" }, a] }],
  ["wrong-type", "messages[1].thinking", { messages: [q, { ...a, reasoning: "T", thinking: "U" }] }],
  ["role-order", "messages", { messages: [q, { role: "tool", content: "R" }, a] }],
  ["role-order", "messages", { messages: [q, a, { role: "tool", content: "R" }] }],
  [
    "tool-call",
    "messages",
    {
      messages: [
        q,
        { ...a, tool_calls: [call({}, { id: "1" })] },
        { role: "tool", content: "R", tool_call_id: "2" },
        a,
      ],
    },
  ],
  [
    "tool-call",
    "parallel_tool_calls",
    { messages: [q, { ...a, tool_calls: [call({}), call({})] }], parallel_tool_calls: false },
  ],
  ["wrong-type", "tools", { messages: [q, a], tools: '{"name": "f"}' }],
  ["invalid-json", "tools", { messages: [q, a], tools: "[{" }],
  ["missing-field", "tools[0].function", { messages: [q, a], tools: [{ type: "function", function: {} }] }],
  ["unsupported", "tools[0]", { messages: [q, a], tools: [{ type: "web_search" }] }],
  ["unsupported", "tools", { instruction: "Q", output: "A", tools: [tool] }],
  ["unsupported", "tools", { prompt: "Q", completion: "A", tools: [tool] }],
  [
    "unsupported",
    "messages[0].content[0]",
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: "x" }] }, a] },
  ],
  [
    "unsupported",
    "messages[0].content[0]",
    { messages: [{ role: "user", content: [{ type: "input_audio" }] }, a] },
  ],
])("refuses %s in %s", async (reason, field, row) => {
  const error = await rowFailure([row]);
  expect([error.reason, error.field, error.row]).toEqual([reason, field, 1]);
});
