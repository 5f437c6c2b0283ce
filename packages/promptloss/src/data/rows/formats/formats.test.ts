import { describe, expect, it } from "vitest";
import { jsonl, read, rowFailure, withoutSource } from "../../../../test/row-files.ts";
import type { DataErrorReason } from "../data-error.ts";

function say(role: string, content: unknown, rest: object = {}) {
  return { role, content, ...rest };
}
const user = { role: "user", parts: [{ class: "instruction", text: "Q" }] };
const assistant = { role: "assistant", parts: [{ class: "completion", text: "A" }] };

async function drafts(...rows: readonly unknown[]): Promise<unknown[]> {
  return withoutSource(await read("rows.jsonl", jsonl(...rows)));
}

describe("alpaca", () => {
  it("makes instruction and input parts of the user's turn", async () => {
    expect(await read("rows.jsonl", jsonl({ instruction: "Q", input: "I", output: "A" }))).toEqual([
      {
        kind: "conversation",
        turns: [{ role: "user", parts: [...user.parts, { class: "input", text: "I" }] }, assistant],
        source: { file: expect.stringMatching(/rows\.jsonl$/), row: 1 },
      },
    ]);
  });

  it.each([[{}], [{ input: "" }], [{ input: null }]])("takes %j for no input", async (input) => {
    expect(await drafts({ instruction: "Q", ...input, output: "A" })).toEqual([
      { kind: "conversation", turns: [user, assistant] },
    ]);
  });

  it("keeps white space in the input, which is an input", async () => {
    expect((await drafts({ instruction: "Q", input: " ", output: "A" }))[0]).toMatchObject({
      turns: [{ parts: [{ text: "Q" }, { class: "input", text: " " }] }, {}],
    });
  });

  it("puts system and history before the instruction", async () => {
    const [example] = await drafts({ instruction: "Q", output: "A", system: "S", history: [["q", "a"]] });
    expect(example).toMatchObject({
      turns: [
        { role: "system", parts: [{ class: "system", text: "S" }] },
        { role: "user", parts: [{ text: "q" }] },
        { role: "assistant", parts: [{ text: "a" }] },
        user,
        assistant,
      ],
    });
  });

  it("carries the row's weight", async () => {
    expect(await drafts({ instruction: "Q", output: "A", weight: 0.25 })).toMatchObject([{ weight: 0.25 }]);
  });

  it("gives frozen examples", async () => {
    const example = (await read("rows.jsonl", jsonl({ instruction: "Q", output: "A" })))[0]!;
    const turns = example.kind === "conversation" ? example.turns : [];
    for (const value of [example, example.source, turns, turns[0], turns[0]!.parts, turns[0]!.parts[0]]) {
      expect(Object.isFrozen(value)).toBe(true);
    }
  });
});

describe("prompt-completion", () => {
  it("reads two texts as they are", async () => {
    expect(await drafts({ prompt: "Q", completion: "A" })).toEqual([
      { kind: "conversation", turns: [user, assistant] },
    ]);
  });

  it("reads two lists of messages; the prompt's assistant words are context", async () => {
    const row = {
      prompt: [say("system", "S"), say("user", "Q"), say("assistant", "earlier"), say("user", "Q")],
      completion: [say("assistant", "A")],
    };
    expect(await drafts(row)).toEqual([
      {
        kind: "conversation",
        turns: [
          { role: "system", parts: [{ class: "system", text: "S" }] },
          user,
          { role: "assistant", parts: [{ class: "input", text: "earlier" }] },
          user,
          assistant,
        ],
      },
    ]);
  });

  it("refuses a list beside a text", async () => {
    const error = await rowFailure([{ prompt: [say("user", "Q")], completion: "A" }]);
    expect(error).toMatchObject({ reason: "wrong-type", field: "completion" });
  });
});

describe("messages and ShareGPT", () => {
  it.each([
    [{ messages: [say("user", "Q"), say("assistant", "A")] }],
    [{ messages: [say("user", [{ type: "text", text: "Q" }]), say("assistant", ["A"])] }],
    [
      {
        conversations: [
          { from: "human", value: "Q" },
          { from: "gpt", value: "A" },
        ],
      },
    ],
    [{ conversations: [say("user", "Q"), say("assistant", "A")] }],
  ])("reads %j", async (row) => {
    expect(await drafts(row)).toEqual([{ kind: "conversation", turns: [user, assistant] }]);
  });

  it("takes a system field, and the developer for the system", async () => {
    const system = { role: "system", parts: [{ class: "system", text: "S" }] };
    const [field, role] = await drafts(
      {
        conversations: [
          { from: "human", value: "Q" },
          { from: "gpt", value: "A" },
        ],
        system: "S",
      },
      { conversations: [say("developer", "S"), say("user", "Q"), say("assistant", "A")] },
    );
    expect(field).toEqual({ kind: "conversation", turns: [system, user, assistant] });
    expect(role).toEqual(field);
  });

  it("carries weights of messages and parts; a part's own wins", async () => {
    const parts = [
      { type: "text", text: "x" },
      { type: "text", text: "y", weight: 0.5 },
    ];
    const [example] = await drafts({
      messages: [say("user", "Q", { weight: 0.1 }), say("assistant", parts, { weight: 2 })],
    });
    expect(example).toMatchObject({
      turns: [
        { weight: 0.1, parts: [{ text: "Q" }] },
        { weight: 2, parts: [{ text: "x" }, { text: "y", weight: 0.5 }] },
      ],
    });
  });

  it("takes what Parquet writes as null for not there", async () => {
    const absent = { weight: null, name: null, tool_calls: null, from: null };
    expect(
      await drafts({ messages: [say("user", "Q", absent), say("assistant", "A", absent)], weight: null }),
    ).toEqual([{ kind: "conversation", turns: [user, assistant] }]);
  });
});

describe("text", () => {
  it("is text", async () => {
    expect(await drafts({ text: "T", weight: 3 })).toEqual([{ kind: "text", text: "T", weight: 3 }]);
  });
});

describe("tokens", () => {
  const ids = [5, 2 ** 31 - 1, 0];

  it.each([
    [{ completion_mask: [0, 1, 1] }],
    [{ completion_mask: [false, true, true] }],
    [{ labels: [-100, 2 ** 31 - 1, 0] }],
  ])("reads %j as a mask", async (mask) => {
    expect(await drafts({ input_ids: ids, ...mask, attention_mask: [1, 1, 1] })).toEqual([
      { kind: "tokens", inputIds: Int32Array.from(ids), completionMask: Uint8Array.from([0, 1, 1]) },
    ]);
  });

  it("reads weights", async () => {
    expect(await drafts({ input_ids: ids, weights: [0, 0.1, 1] })).toEqual([
      { kind: "tokens", inputIds: Int32Array.from(ids), weights: Float32Array.from([0, 0.1, 1]) },
    ]);
  });
});

describe("a bad row is named with its field and cause", () => {
  const ids = { input_ids: [1, 2] };
  const q = say("user", "Q");
  const a = say("assistant", "A");
  const cases: readonly (readonly [DataErrorReason, string | undefined, object])[] = [
    ["empty-completion", "output", { instruction: "Q", output: "" }],
    ["empty-completion", "output", { instruction: "Q", output: " \n\t" }],
    ["empty-completion", "completion", { prompt: "Q", completion: "" }],
    ["empty-completion", "messages, assistant turn 2", { messages: [q, a, q, say("assistant", " ")] }],
    ["empty-completion", "text", { text: "" }],
    ["empty-completion", "completion", { prompt: [q], completion: [] }],
    ["untrained", "completion_mask", { ...ids, completion_mask: [0, 0] }],
    ["untrained", "weights", { ...ids, weights: [0, 0] }],
    ["untrained", "labels", { ...ids, labels: [-100, -100] }],
    ["untrained", "input_ids", { input_ids: [], labels: [] }],
    ["empty-prompt", "instruction", { instruction: " ", output: "A" }],
    ["empty-prompt", "prompt", { prompt: "", completion: "A" }],
    ["empty-prompt", "messages", { messages: [say("user", ""), a] }],
    ["wrong-type", "instruction", { instruction: 7, output: "A" }],
    ["wrong-type", "output", { instruction: "Q", output: ["A"] }],
    ["wrong-type", "input", { instruction: "Q", input: {}, output: "A" }],
    ["wrong-type", "prompt", { prompt: true, completion: "A" }],
    ["wrong-type", "completion", { prompt: "Q", completion: 3 }],
    ["wrong-type", "messages", { messages: "Q" }],
    ["wrong-type", "messages[0]", { messages: ["Q"] }],
    ["wrong-type", "messages[0].content", { messages: [say("user", 3), a] }],
    [
      "wrong-type",
      "messages[0].content[0].text",
      { messages: [say("user", [{ type: "text", text: 3 }]), a] },
    ],
    ["wrong-type", "history[0]", { instruction: "Q", output: "A", history: ["x"] }],
    ["missing-field", "output", { instruction: "Q", output: null }],
    ["missing-field", "messages[0]", { messages: [{ role: "user" }, a] }],
    ["missing-field", undefined, { ...ids }],
    ["unknown-role", "messages[0].role", { messages: [say("bot", "Q"), a] }],
    ["unknown-role", "messages[0].role", { messages: [say("constructor", "Q"), a] }],
    [
      "unknown-role",
      "conversations[1].from",
      {
        conversations: [
          { from: "human", value: "Q" },
          { from: "bing", value: "A" },
        ],
      },
    ],
    ["role-order", "messages", { messages: [a, q] }],
    ["role-order", "messages", { messages: [q, q, a] }],
    ["role-order", "messages", { messages: [q, a, a] }],
    ["role-order", "messages", { messages: [q, a, q] }],
    ["role-order", "messages", { messages: [q, say("system", "S"), a] }],
    ["role-order", "messages", { messages: [say("system", "S"), q, a], system: "S" }],
    ["no-assistant-turn", "messages", { messages: [q] }],
    ["no-assistant-turn", "messages", { messages: [] }],
    ["role-order", "completion", { prompt: [q, a], completion: [q] }],
    ["role-order", "messages", { messages: [say("tool", "Q"), a] }],
    ["tool-call", "conversations[0].value", { conversations: [{ from: "function_call", value: "Q" }] }],
    ["unsupported", "images", { messages: [q, a], images: ["a.png"] }],
    ["unsupported", "image", { instruction: "Q", output: "A", image: "a.png" }],
    ["unsupported", "documents", { prompt: "Q", completion: "A", documents: [{ text: "D" }] }],
    ["unsupported", "prompt[0].images", { prompt: [{ ...q, images: ["x"] }], completion: [a] }],
    [
      "unsupported",
      "messages[0].content[0].image_url",
      { messages: [say("user", [{ text: "Q", image_url: { url: "x" } }]), a] },
    ],
    [
      "unsupported",
      "messages[0].content[0]",
      { messages: [say("user", [{ type: "image_url", image_url: "x" }]), a] },
    ],
    ["unsupported", "messages[1].loss_weight", { messages: [q, { ...a, loss_weight: 0.5 }] }],
    ["unsupported", "messages[1].train", { messages: [q, { ...a, train: false }] }],
    ["unsupported", "attention_mask", { ...ids, completion_mask: [0, 1], attention_mask: [0, 1] }],
    ["invalid-weight", "weight", { text: "T", weight: -1 }],
    ["invalid-weight", "weight", { text: "T", weight: "NaN" }],
    ["invalid-weight", "weight", { text: "T", weight: "much" }],
    ["invalid-weight", "weight", { text: "T", weight: [1] }],
    ["invalid-weight", "messages[1].weight", { messages: [q, { ...a, weight: -0.5 }] }],
    [
      "invalid-weight",
      "messages[0].content[0].weight",
      { messages: [say("user", [{ text: "Q", weight: "1" }]), a] },
    ],
    ["invalid-weight", "weights[1]", { ...ids, weights: [1, -1] }],
    ["invalid-weight", "weights[0]", { ...ids, weights: [null, 1] }],
    ["invalid-weight", "weights[0]", { ...ids, weights: [1e39, 1] }],
    ["invalid-tokens", "input_ids[1]", { input_ids: [1, 2 ** 31], labels: [1, 2] }],
    ["invalid-tokens", "input_ids[0]", { input_ids: [-1, 2], labels: [1, 2] }],
    ["invalid-tokens", "input_ids[1]", { input_ids: [1, 1.5], labels: [1, 2] }],
    ["invalid-tokens", "input_ids[0]", { input_ids: ["1", 2], labels: [1, 2] }],
    ["invalid-tokens", "completion_mask[1]", { ...ids, completion_mask: [0, 2] }],
    ["invalid-tokens", "labels[0]", { ...ids, labels: [2, 2] }],
    ["length-mismatch", "completion_mask", { ...ids, completion_mask: [1] }],
    ["length-mismatch", "loss_mask", { ...ids, loss_mask: [1, 1, 1] }],
    ["invalid-weight", "loss_mask[0]", { ...ids, loss_mask: ["1", 1] }],
    ["wrong-type", "loss_mask", { ...ids, weights: [0, 1], loss_mask: [0, 1] }],
    ["length-mismatch", "weights", { ...ids, weights: [1, 1, 1] }],
    ["length-mismatch", "labels", { ...ids, labels: [1] }],
    ["length-mismatch", "attention_mask", { ...ids, labels: [1, 2], attention_mask: [1] }],
    ["wrong-type", "weights", { ...ids, completion_mask: [0, 1], weights: [0, 1] }],
    ["invalid-utf8", "text", { text: "cut \ud83d" }],
  ];
  it.each(cases)("%s in %s: %j", async (reason, field, row) => {
    const error = await rowFailure([row]);
    expect(error).toMatchObject({ reason, row: 1 });
    expect(error.field).toBe(field);
    expect(error.message).toMatch(/rows\.jsonl, row 1/);
    expect(error.hint).toBeTruthy();
  });

  it.each([null, "", " ", [], {}, false, "[]", "null", [null], { url: null }])(
    "takes %j for no image, reasoning or tool",
    async (nothing) => {
      const messages = [
        { ...q, images: nothing },
        { ...a, reasoning_content: nothing },
      ];
      const [row] = await drafts({ messages, tools: nothing, image: nothing });
      expect(row).toEqual({ kind: "conversation", turns: [user, assistant] });
    },
  );

  it("leaves a column out that is mapped to nothing", async () => {
    const rows = jsonl({ messages: [q, a], images: ["a.png"] });
    expect(await read("rows.jsonl", rows, { columns: { images: null } })).toHaveLength(1);
  });

  it("says it in words", async () => {
    const error = await rowFailure([
      { instruction: "Q", output: "A" },
      { instruction: "Q", output: 7 },
    ]);
    expect(error.toString().replace(/^.*\//, "")).toMatchInlineSnapshot(`
      "rows.jsonl, row 2, field "output": text was expected, found the number 7
      hint: Mend the row, or leave out and count such rows with onBadRow: "skip"."
    `);
  });
});
