// Structured output and calls of functions, as OpenAI's own client meets them. The model is tiny and knows nothing: what
// comes out right does so because generation is held to it.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { type ModelServer, serveModels } from "../src/serve/index.ts";
import { tinyFolder } from "./tiny-folder.ts";
import { TINY_BYTES, TINY_PIECES } from "./tokenizers.ts";

// Prompts with tools are long.
const LONG = { config: { max_position_embeddings: 2048 } };
const folders = {
  bytes: tinyFolder(TINY_BYTES, LONG),
  pieces: tinyFolder(TINY_PIECES, LONG),
  bare: tinyFolder(TINY_BYTES, LONG),
};
const generators: TextGenerator[] = [];
let server: ModelServer;
let client: OpenAI;

beforeAll(async () => {
  const source = new URL("./chat-templates/tag-calls.jinja", import.meta.url);
  writeFileSync(join(folders.bytes, "chat_template.jinja"), readFileSync(source));
  const bare = new URL("./chat-templates/json-calls.jinja", import.meta.url);
  writeFileSync(join(folders.bare, "chat_template.jinja"), readFileSync(bare));
  for (const folder of Object.values(folders)) generators.push(await TextGenerator.load(folder));
  const bases = Object.keys(folders).map((id, i) => ({ id, generator: generators[i]! }));
  server = await serveModels(bases, { port: 0 });
  client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await server.close(0);
  for (const generator of generators) generator.free();
  for (const folder of Object.values(folders)) rmSync(dirname(folder), { recursive: true });
});

const messages = [{ role: "user" as const, content: "the dog" }];

type Format = NonNullable<OpenAI.Chat.ChatCompletionCreateParams["response_format"]>;

function formatOf(schema: Record<string, unknown>): Format {
  return { type: "json_schema", json_schema: { name: "answer", strict: true, schema } };
}

/** Schemas whose texts are short, so that they end within the limit. */
const leaf = fc.constantFrom<Record<string, unknown>>(
  { type: "boolean" },
  { type: "integer" },
  { type: ["number", "null"] },
  { type: "string", maxLength: 4 },
  { enum: ["red", "grün", 7, null] },
);
const schema = fc
  .array(fc.tuple(leaf, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 3 })
  .map((fields) => ({
    type: "object",
    properties: Object.fromEntries(
      fields.map(([of, , listed], i) => [`f${i}`, listed ? { type: "array", items: of, maxItems: 2 } : of]),
    ),
    required: fields.flatMap(([, required], i) => (required ? [`f${i}`] : [])),
    additionalProperties: false,
  }));

describe("structured output", () => {
  test("fits the schema, greedy and drawn, whole and as a stream", async () => {
    await fc.assert(
      fc.asyncProperty(
        schema,
        fc.constantFrom("bytes", "pieces"),
        fc.constantFrom(0, 1, 1.5),
        fc.nat(100),
        async (schema, model, temperature, seed) => {
          const asked = {
            model,
            messages,
            temperature,
            seed,
            max_tokens: 300,
            response_format: formatOf(schema),
          };
          const { choices } = await client.chat.completions.create({
            ...asked,
            ...(temperature > 0 && { n: 2 }),
          });
          for (const { message, finish_reason } of choices) {
            expect(finish_reason).toBe("stop");
            const value = JSON.parse(message.content!) as unknown;
            expect([message.content, new Ajv().validate(schema, value)]).toEqual([message.content, true]);
          }
          let text = "";
          for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true }))
            text += choices[0]!.delta.content ?? "";
          expect(text).toBe(choices[0]!.message.content);
        },
      ),
      { numRuns: 12, seed: 3 },
    );
  });

  test("is any object where no schema is given, and fits beside free answers in one batch", async () => {
    const json = { type: "json_object" as const };
    const ask = (more: object) =>
      client.chat.completions.create({ model: "bytes", messages, temperature: 0, max_tokens: 30, ...more });
    const [held, free] = await Promise.all([ask({ response_format: json }), ask({})]);
    expect(held.choices[0]!.message.content).toMatch(/^\{("|\}$)/);
    expect((await ask({})).choices).toEqual(free.choices);
    expect((await ask({ response_format: json, logprobs: true })).choices[0]!.logprobs!.content).not.toEqual(
      [],
    );
  });
});

const tools = [
  {
    type: "function" as const,
    function: {
      name: "stock",
      description: "How many there are.",
      parameters: {
        type: "object",
        properties: { item: { enum: ["jar", "lid"] }, count: { type: "integer" } },
        required: ["item"],
        additionalProperties: false,
      },
    },
  },
  { type: "function" as const, function: { name: "clock" } },
];

describe("calls", () => {
  const ask = (more: object) => ({
    model: "bytes",
    messages,
    tools,
    temperature: 1,
    seed: 4,
    max_tokens: 400,
    ...more,
  });

  test("are made of the function that is named, of one or several that are required", async () => {
    for (const model of ["bytes", "bare"]) {
      const named = { type: "function" as const, function: { name: "stock" } };
      const { choices } = await client.chat.completions.create(ask({ model, tool_choice: named, n: 3 }));
      for (const { message, finish_reason } of choices) {
        expect([finish_reason, message.content, message.tool_calls!.length]).toEqual(["tool_calls", null, 1]);
        const [call] = message.tool_calls as OpenAI.Chat.ChatCompletionMessageFunctionToolCall[];
        expect(call!.id).toMatch(/^call_[0-9a-f]{24}$/);
        const { name, arguments: given } = call!.function;
        expect(name).toBe("stock");
        expect(new Ajv().validate(tools[0]!.function.parameters!, JSON.parse(given))).toBe(true);
      }
    }
    const two = [
      tools[0]!,
      {
        ...tools[1]!,
        function: {
          ...tools[1]!.function,
          parameters: { type: "object", properties: { now: { const: true } }, required: ["now"] },
        },
      },
    ];
    const drawn = await client.chat.completions.create(ask({ tools: two, tool_choice: "required", n: 8 }));
    const called = drawn.choices.flatMap(
      ({ message }) => message.tool_calls ?? [],
    ) as OpenAI.Chat.ChatCompletionMessageFunctionToolCall[];
    expect(new Set(called.map((each) => each.function.name))).toEqual(new Set(["stock", "clock"]));
    const single = await client.chat.completions.create(
      ask({ tools: two, tool_choice: "required", parallel_tool_calls: false, n: 8 }),
    );
    for (const { message } of single.choices) expect(message.tool_calls).toHaveLength(1);
  });

  test("come in a stream when they are whole, and go on with the tool's result", async () => {
    const asked = ask({ tool_choice: { type: "function", function: { name: "stock" } } });
    const whole = (await client.chat.completions.create(asked as never)) as OpenAI.Chat.ChatCompletion;
    const stream = client.chat.completions.stream(asked as never);
    const { choices } = await stream.finalChatCompletion();
    const [call] = choices[0]!.message.tool_calls as OpenAI.Chat.ChatCompletionMessageFunctionToolCall[];
    const [expected] = whole.choices[0]!.message
      .tool_calls as OpenAI.Chat.ChatCompletionMessageFunctionToolCall[];
    expect(call!.function).toMatchObject(expected!.function);
    expect(choices[0]!.finish_reason).toBe("tool_calls");
    const next = (await client.chat.completions.create({
      ...asked,
      tool_choice: "auto",
      max_tokens: 10,
      messages: [
        ...messages,
        whole.choices[0]!.message,
        { role: "tool" as const, tool_call_id: expected!.id, content: '{"count": 3}' },
      ],
    } as never)) as OpenAI.Chat.ChatCompletion;
    expect(next.choices[0]!.finish_reason).toBe("length");
    expect(next.choices[0]!.message.tool_calls).toBeUndefined();
  });

  test("are left to the model where it may choose, and are none where there are to be none", async () => {
    const plain = { model: "bytes", messages, temperature: 0, max_tokens: 12 };
    const said = async (more: object) => {
      const { choices } = await client.chat.completions.create({ ...plain, tools, ...more });
      return choices[0]!.message;
    };
    const auto = await said({});
    expect(auto).toMatchObject({ role: "assistant", refusal: null });
    expect(await said({ tool_choice: "none" })).toEqual(auto);
    let streamed = "";
    for await (const { choices } of await client.chat.completions.create({ ...plain, tools, stream: true }))
      streamed += choices[0]!.delta.content ?? "";
    expect(streamed).toBe(auto.content);
  });

  test("that can't be are refused, and say why", async () => {
    const refused = async (more: object): Promise<string> => {
      const error = await client.chat.completions
        .create(ask(more) as never)
        .catch((thrown: unknown) => thrown);
      if (!(error instanceof APIError)) throw new Error("it did not fail");
      return `${error.status} ${error.param}: ${error.message.replace(/^\d+ /, "")}`;
    };
    const strictly = (parameters: object) => [
      { type: "function", function: { name: "f", strict: true, parameters } },
    ];
    let deep: object = { type: "string" };
    for (let i = 0; i < 500; i++) deep = { type: "array", items: deep };
    const errors = [
      { tool_choice: { type: "function", function: { name: "other" } } },
      { tools: [], tool_choice: "required" },
      { tools: [{ type: "web_search" }] },
      { tools: [{ type: "function", function: { name: "a b" } }] },
      { tools: [tools[1], tools[1]] },
      { tools: strictly({ type: "object", properties: { a: { type: "string", format: "date" } } }) },
      { tools: strictly({ type: "object" }), model: "bare" },
      { tools: strictly(deep) },
      { tools: strictly({ type: "object", properties: { a: { const: "x".repeat(1001) } } }) },
      { model: "pieces" },
      { logprobs: true },
      { response_format: { type: "json_object" } },
      { messages: [...messages, { role: "assistant", content: null }, ...messages] },
      { messages: [...messages, { role: "tool", content: "3", tool_call_id: "a" }] },
      { messages: [{ ...messages[0], tool_call_id: "a" }] },
    ];
    expect((await Promise.all(errors.map(refused))).join("\n")).toMatchInlineSnapshot(`
      "400 tool_choice: tool_choice: there is no tool other
      400 tool_choice: tool_choice: there are no tools to choose from
      400 tools.0.type: tools.0.type: only functions are supported
      400 tools.0.function.name: tools.0.function.name: letters, digits, - and _ were expected, 64 at most
      400 tools: tools: two functions have one name
      400 tools.f.parameters: tools.f.parameters: #/properties/a: format is not supported
      400 tools: tools: strict is not supported with tool_choice auto, as this model's calls begin with no mark
      400 tools.0.function.parameters: tools.0.function.parameters: is nested more than 100 levels deep
      400 tools.f.parameters: tools.f.parameters: #/properties/a: a name or value has 1003 characters, and 1000 are the most
      400 tools: tools: the model's template writes no calls of functions as JSON. Hint: use a model whose chat template knows tools
      400 logprobs: logprobs: are not supported where functions may be called
      400 response_format: response_format: is not supported where functions may be called
      400 messages.1.content: messages.1.content: is missing
      400 prompt: prompt 1: messages: turn 2 is the tool's where the assistant's was due. Hint: A tool's result follows the assistant's turn that called it.
      400 messages.0.tool_call_id: messages.0.tool_call_id: is a tool's, not a user's"
    `);
  });
});
