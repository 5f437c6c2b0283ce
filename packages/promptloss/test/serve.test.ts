// The server as OpenAI's own client meets it, over a tiny model whose gibberish is the same everywhere.
import { rmSync } from "node:fs";
import { get, request } from "node:http";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import OpenAI, { APIError } from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { type ModelServer, type ServeOptions, serveModel } from "../src/serve/index.ts";
import { tinyFolder } from "./tiny-folder.ts";
import { TINY_BYTES } from "./tokenizers.ts";

const folder = tinyFolder(TINY_BYTES);
const servers: ModelServer[] = [];
let generator: TextGenerator;
let url: string;
let client: OpenAI;

async function start(options: Partial<ServeOptions> = {}): Promise<string> {
  const server = await serveModel(generator, { model: "tiny", port: 0, ...options });
  servers.push(server);
  return server.url;
}

function clientOf(baseURL: string, apiKey = "none"): OpenAI {
  return new OpenAI({ baseURL, apiKey, maxRetries: 0 });
}

beforeAll(async () => {
  generator = await TextGenerator.load(folder);
  url = await start();
  client = clientOf(url);
});

afterAll(async () => {
  for (const server of servers) await server.close(0);
  generator.free();
  rmSync(dirname(folder), { recursive: true });
});

afterEach(() => vi.restoreAllMocks());

const GENERATE = TextGenerator.prototype.generate;

const model = "tiny";
const greedy = { model, temperature: 0, max_tokens: 12 };
const messages = [{ role: "user" as const, content: "the dog" }];

/** Status and body of a request as it stands. */
async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<[number, unknown]> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return [response.status, await response.json()];
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw error ?? new Error("it did not fail");
  return `${error.status} ${error.type} ${error.param ?? error.code}: ${error.message.replace(/^\d+ /, "")}`;
}

describe("answers", () => {
  test("names its model", async () => {
    const { data } = await client.models.list();
    expect(data).toMatchObject([{ id: model, object: "model", owned_by: "promptloss" }]);
    expect(await client.models.retrieve(model)).toEqual(data[0]);
  });

  test("completes a text as the generator does, and counts its tokens", async () => {
    const [{ sequences, promptIds }] = (await generator.generate([{ text: "the dog" }], {
      maxNewTokens: 12,
    })) as [Awaited<ReturnType<typeof generator.generate>>[0]];
    const answer = await client.completions.create({ ...greedy, prompt: "the dog" });
    expect(answer).toMatchObject({ object: "text_completion", model });
    expect(answer.choices).toEqual([
      { index: 0, text: sequences[0]!.text, logprobs: null, finish_reason: "length" },
    ]);
    expect(answer.usage).toEqual({
      prompt_tokens: promptIds.length,
      completion_tokens: 12,
      total_tokens: promptIds.length + 12,
    });
    const byIds = await client.completions.create({ ...greedy, prompt: [...promptIds] });
    expect(byIds.choices).toEqual(answer.choices);
  });

  test("chats by the model's template, parts and developers included", async () => {
    const [{ sequences }] = (await generator.generate(
      [{ messages: [{ role: "system", content: "be kind" }, ...messages] }],
      { maxNewTokens: 12 },
    )) as [Awaited<ReturnType<typeof generator.generate>>[0]];
    const answer = await client.chat.completions.create({
      ...greedy,
      messages: [
        { role: "developer", content: "be kind" },
        {
          role: "user",
          content: [
            { type: "text", text: "the " },
            { type: "text", text: "dog" },
          ],
        },
      ],
    });
    expect(answer.choices).toEqual([
      {
        index: 0,
        message: { role: "assistant", content: sequences[0]!.text, refusal: null },
        logprobs: null,
        finish_reason: "length",
      },
    ]);
  });

  test("streams the same text, with its role, its end and its token counts", async () => {
    const whole = await client.chat.completions.create({ ...greedy, messages });
    const stream = await client.chat.completions.create({
      ...greedy,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(
      whole.choices[0]!.message.content,
    );
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks[0]!.choices[0]!.delta.role).toBe("assistant");
    expect(chunks.at(-2)!.choices).toMatchObject([
      { delta: {}, finish_reason: whole.choices[0]!.finish_reason },
    ]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  test("streams several prompts side by side, each with an index", async () => {
    const prompts = ["the dog", "a"];
    const whole = await client.completions.create({ ...greedy, prompt: prompts });
    const texts = ["", ""];
    for await (const { choices } of await client.completions.create({
      ...greedy,
      prompt: prompts,
      stream: true,
    }))
      texts[choices[0]!.index] += choices[0]!.text;
    expect(texts).toEqual(whole.choices.map(({ text }) => text));
    expect(texts[0]).not.toBe(texts[1]);
  });

  test("stops before a stop string", async () => {
    const { choices } = await client.completions.create({ ...greedy, prompt: "the dog" });
    const { text } = choices[0]!;
    const stop = text.slice(3, 6);
    const stopped = await client.completions.create({ ...greedy, prompt: "the dog", stop });
    expect(stopped.choices[0]).toMatchObject({
      text: text.slice(0, text.indexOf(stop)),
      finish_reason: "stop",
    });
  });

  test("draws by seed, n answers a prompt", async () => {
    const draw = async (seed: number): Promise<string[]> => {
      const { choices } = await client.completions.create({
        model,
        prompt: "the dog",
        temperature: 1,
        top_p: 0.9,
        n: 3,
        seed,
        max_tokens: 8,
      });
      return choices.map(({ text }) => text);
    };
    const texts = await draw(3);
    expect(new Set(texts).size).toBe(3);
    expect(await draw(3)).toEqual(texts);
    expect(await draw(300)).not.toEqual(texts);
  });

  test("gives log-probabilities in both shapes", async () => {
    const completion = await client.completions.create({ ...greedy, prompt: "the dog", logprobs: 2 });
    const { tokens, token_logprobs, top_logprobs, text_offset } = completion.choices[0]!.logprobs!;
    expect(tokens!.join("")).toBe(completion.choices[0]!.text);
    expect(text_offset![2]).toBe(tokens![0]!.length + tokens![1]!.length);
    // Greedy: the token chosen is the likeliest.
    expect(token_logprobs![0]).toBe(Math.max(...Object.values(top_logprobs![0]!)));
    const chat = await client.chat.completions.create({
      ...greedy,
      messages,
      logprobs: true,
      top_logprobs: 2,
    });
    const content = chat.choices[0]!.logprobs!.content!;
    expect(content.map(({ bytes }) => Buffer.from(bytes!).toString()).join("")).toBe(
      chat.choices[0]!.message.content,
    );
    expect(content[0]!.top_logprobs.map(({ logprob }) => logprob)[0]).toBe(content[0]!.logprob);
    expect(content[0]!.top_logprobs).toHaveLength(2);
  });

  test("streams log-probabilities: those of the whole answer, each with the end of its text", async () => {
    for (const stop of [undefined, "a", "e"]) {
      const asked = { ...greedy, prompt: "the dog", logprobs: 2, ...(stop !== undefined && { stop }) };
      const whole = (await client.completions.create(asked)).choices[0]!;
      const lists = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
      let text = "";
      for await (const { choices } of await client.completions.create({ ...asked, stream: true })) {
        text += choices[0]!.text;
        for (const [key, list] of Object.entries(lists) as [keyof typeof lists, unknown[]][])
          list.push(...(choices[0]!.logprobs?.[key] ?? []));
      }
      expect(text).toBe(whole.text);
      expect(lists).toEqual(whole.logprobs);
      const chat = {
        ...greedy,
        messages,
        logprobs: true,
        top_logprobs: 1,
        ...(stop !== undefined && { stop }),
      };
      const content = (await client.chat.completions.create(chat)).choices[0]!.logprobs!.content;
      const streamed = [];
      for await (const { choices } of await client.chat.completions.create({ ...chat, stream: true }))
        streamed.push(...(choices[0]!.logprobs?.content ?? []));
      expect(streamed).toEqual(content);
    }
  });

  test("takes OpenAI's other fields where they ask for nothing", async () => {
    const answer = await client.chat.completions.create({ ...greedy, messages });
    const neutral = {
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: false,
      reasoning_effort: null,
      functions: null,
      response_format: { type: "text" },
      service_tier: "auto",
      verbosity: null,
      stop: null,
    };
    const [status, body] = await post("/chat/completions", { ...greedy, messages, ...neutral });
    expect([status, (body as typeof answer).choices]).toEqual([200, answer.choices]);
    // An answer as clients send it back, with what it has not.
    const turn = {
      ...answer.choices[0]!.message,
      tool_calls: [],
      function_call: null,
      annotations: [],
      audio: null,
    };
    const again = [...messages, turn, ...messages];
    expect((await post("/chat/completions", { ...greedy, messages: again }))[0]).toBe(200);
    for (const asks of [
      { tools: [{ type: "function", function: { name: "f" } }] },
      { reasoning_effort: "high" },
      { messages: [...messages, { ...turn, tool_calls: [{ id: "1" }] }, ...messages] },
    ])
      expect((await post("/chat/completions", { ...greedy, messages, ...asks }))[0]).toBe(400);
  });

  test("answers many clients at once as it answers each alone", async () => {
    const prompts = ["a", "b", "the dog", "from"];
    const alone = [];
    for (const prompt of prompts) alone.push(await client.completions.create({ ...greedy, prompt }));
    const together = await Promise.all(
      prompts.map((prompt) => client.completions.create({ ...greedy, prompt })),
    );
    expect(together.map(({ choices }) => choices)).toEqual(alone.map(({ choices }) => choices));
  });
});

describe("refuses, and says why", () => {
  test("requests that make no sense", async () => {
    const errors = [
      client.completions.create({ ...greedy, model: "other", prompt: "a" }),
      client.completions.create({ ...greedy, prompt: "a ".repeat(600) }),
      client.completions.create({ ...greedy, prompt: [9999] }),
      client.completions.create({ ...greedy, prompt: "a", max_tokens: 5000 }),
      client.completions.create({ ...greedy, prompt: "a", top_p: 0.5 }),
      client.completions.create({ ...greedy, prompt: "a", temperature: 1, n: 40 }),
      client.completions.create({ ...greedy, prompt: "a", suffix: "b" }),
      client.completions.create({ ...greedy, prompt: "a", tempurature: 1 } as never),
      client.chat.completions.create({ ...greedy, messages: [] }),
      client.chat.completions.create({ ...greedy, messages: [{ role: "assistant", content: "a" }] }),
      client.chat.completions.create({ ...greedy } as never),
      client.chat.completions.create({
        ...greedy,
        messages,
        response_format: {
          type: "json_schema",
          json_schema: { name: "a", schema: { type: "string", pattern: "a" } },
        },
      }),
      client.chat.completions.create({ ...greedy, messages, tool_choice: "required" }),
      client.chat.completions.create({ ...greedy, messages, top_logprobs: 2 }),
      client.post("/nothing", { body: {} }),
      clientOf(url).get("/completions"),
    ].map(errorOf);
    expect((await Promise.all(errors)).join("\n")).toMatchInlineSnapshot(`
      "404 invalid_request_error model: there is no model other here, but tiny
      400 invalid_request_error prompt: the prompt has 601 tokens, and the model reads 512, its completion included. Hint: shorten it
      400 invalid_request_error prompt: token 0 has id 9999, outside the vocabulary of 515. Hint: the tokenizer has more tokens than the model's config says
      400 invalid_request_error max_tokens: max_tokens: 5000 is more than the 4096 that this server gives
      400 invalid_request_error top_p: top_p: has no effect at temperature 0, which always takes the likeliest token. Hint: set a temperature, such as 1
      400 invalid_request_error n: prompts (1) times n (40) are 40 completions, and this server makes 32 at once
      400 invalid_request_error suffix: suffix: is not supported other than as ""
      400 invalid_request_error tempurature: unrecognized request argument: tempurature
      400 invalid_request_error messages: messages: Too small: expected array to have >=1 items
      400 invalid_request_error messages: messages: the last is not the user's, nor a tool's, so that there is nothing to complete
      400 invalid_request_error messages: messages: is missing
      400 invalid_request_error response_format.json_schema.schema: response_format.json_schema.schema: #: pattern is not supported
      400 invalid_request_error tool_choice: tool_choice: there are no tools to choose from
      400 invalid_request_error top_logprobs: top_logprobs: needs logprobs to be true
      404 invalid_request_error null: there is no /v1/nothing
      405 invalid_request_error null: GET is not for /v1/completions. Hint: send a POST"
    `);
  });

  test("bodies that are no JSON, and too large ones", async () => {
    expect(await post("/completions", "{")).toMatchObject([
      400,
      { error: { type: "invalid_request_error" } },
    ]);
    expect(await post("/completions", "[]")).toMatchObject([400, { error: { param: null } }]);
    expect(await post("/completions", "{}", { "content-type": "text/plain" })).toMatchObject([415, {}]);
    const large = await start({ limits: { bodyBytes: 100 } });
    const body = { ...greedy, prompt: "a".repeat(200) };
    expect(await errorOf(clientOf(large).completions.create(body))).toBe(
      "413 invalid_request_error body_too_large: the body has more than 100 bytes",
    );
  });

  test("numbers at the edge of what float32 holds", async () => {
    const draws = { model, prompt: "the dog", max_tokens: 8, seed: 3 };
    const greedyText = (await client.completions.create({ ...greedy, max_tokens: 8, prompt: "the dog" }))
      .choices[0]!.text;
    for (const temperature of [1e-30, 1e-38, 1e-45, 1e-300, Number.MIN_VALUE])
      expect((await client.completions.create({ ...draws, temperature })).choices[0]!.text).toBe(greedyText);
    for (const repetition_penalty of [1e-300, 1e-40, 1e300])
      expect(await post("/completions", { ...draws, repetition_penalty })).toMatchObject([
        400,
        { error: { param: "repetition_penalty", message: /from 0.001 to 1000/ } },
      ]);
    expect((await post("/completions", { ...draws, repetition_penalty: 0.001 }))[0]).toBe(200);
  });

  test("pages of other origins, whatever they ask for", async () => {
    const { origin } = new URL(url);
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${url}/models`, { headers })).status;
    for (const own of [{}, { origin }, { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }])
      expect(await status(own)).toBe(200);
    for (const foreign of [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: "http://127.0.0.1:1" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ])
      expect(await status(foreign)).toBe(403);
    const asked = await fetch(`${url}/completions`, {
      method: "OPTIONS",
      headers: { origin: "http://evil.example", "access-control-request-method": "POST" },
    });
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  });

  test("names that are not its own, which pages of other sites could lead here", async () => {
    const status = (server: string, host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const { port } = new URL(server);
        get({ host: "127.0.0.1", port, path: "/v1/models", headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        }).on("error", reject);
      });
    const { port } = new URL(url);
    for (const host of [
      "127.0.0.1",
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      "LOCALHOST",
      "[::1]:80",
      "a.localhost",
    ])
      expect([host, await status(url, host)]).toEqual([host, 200]);
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "localhost.evil.example",
      "127.0.0.1.evil.example",
    ])
      expect([host, await status(url, host)]).toEqual([host, 403]);
    expect(await status(await start({ allowedHosts: ["Models.example"] }), "models.example:80")).toBe(200);
    // With a key the name says nothing.
    expect(await status(await start({ apiKey: "sesame" }), "evil.example")).toBe(401);
  });

  test("clients without the key", async () => {
    const guarded = await start({ apiKey: "sesame" });
    const message = "401 authentication_error invalid_api_key: the API key is missing or wrong";
    expect(await errorOf(clientOf(guarded, "wrong").models.list().asResponse())).toBe(message);
    expect((await clientOf(guarded, "sesame").models.list()).data).toHaveLength(1);
    expect((await fetch(`${guarded}/models`)).status).toBe(401);
  });

  test("a place that is taken, and limits that make no sense", async () => {
    const port = Number(new URL(url).port);
    await expect(serveModel(generator, { model, port })).rejects.toThrow(/can't listen at 127\.0\.0\.1/);
    await expect(serveModel(generator, { model, port: 99_999 })).rejects.toThrow(/can't listen/);
    await expect(serveModel(generator, { model, port: 0, limits: { tokens: 0 } })).rejects.toThrow(
      "limits.tokens: 0 is out of range",
    );
  });
});

describe("limits", () => {
  /** Milliseconds, on a machine that has much else to do. */
  const PATIENCE = 60_000;
  const endless = { model, prompt: "the dog", temperature: 0, max_tokens: 500 };
  const health = async (base: string) =>
    (await (await fetch(base.replace(/\/v1$/, "/health"))).json()) as { running: number; waiting: number };
  const busy = (base: string) =>
    vi.waitFor(async () => expect((await health(base)).running).toBe(1), PATIENCE);

  /** Lets each piece of text take a while, so that no answer is done before it is stopped. */
  const slowly = (milliseconds: number) =>
    vi.spyOn(generator, "generate").mockImplementation((prompts, options = {}) => {
      const { onText } = options;
      return GENERATE.call(generator, prompts, {
        ...options,
        onText: async (piece) => {
          await onText?.(piece);
          await setTimeout(milliseconds);
        },
      });
    });

  /** Holds the engine, until released, before the next token. */
  const held = async (base: string): Promise<{ release: () => void; work: Promise<unknown> }> => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    vi.spyOn(generator, "generate").mockImplementationOnce(async (...args) => {
      await gate;
      return GENERATE.apply(generator, args);
    });
    const work = clientOf(base).completions.create({ ...greedy, prompt: "a" });
    work.catch(() => undefined);
    await busy(base);
    return { release, work };
  };

  test("the queue is bounded, and answers go on while it is full", async () => {
    const base = await start({ limits: { running: 1, waiting: 1 } });
    const { release, work } = await held(base);
    const second = clientOf(base).completions.create({ ...greedy, prompt: "b" });
    second.catch(() => undefined);
    await vi.waitFor(
      async () => expect(await health(base)).toEqual({ status: "ok", running: 1, waiting: 1 }),
      PATIENCE,
    );
    expect(await errorOf(clientOf(base).completions.create({ ...greedy, prompt: "c" }))).toMatch(
      /^503 overloaded_error queue_full: 1 requests wait already/,
    );
    release();
    expect(await work).toMatchObject({ object: "text_completion" });
    expect(await second).toMatchObject({ object: "text_completion" });
  });

  test("a client that leaves stops its answer, whole or streamed, running or waiting", async () => {
    const base = await start();
    const generate = slowly(10);
    for (const stream of [false, true]) {
      const abort = new AbortController();
      const gone = clientOf(base).completions.create({ ...endless, stream }, { signal: abort.signal });
      const read = (async () => {
        const answer = await gone;
        if (stream) for await (const _ of answer as AsyncIterable<unknown>) abort.abort();
      })().catch(() => undefined);
      if (!stream) {
        await busy(base);
        abort.abort();
      }
      await read;
      await vi.waitFor(async () => expect((await health(base)).running).toBe(0), PATIENCE);
      const [result] = await generate.mock.results.at(-1)!.value;
      expect(result.sequences[0].finishReason).toBe("abort");
      expect(result.sequences[0].ids.length).toBeLessThan(500);
    }
    const one = await start({ limits: { running: 1 } });
    const { release, work } = await held(one);
    const abort = new AbortController();
    const waiting = clientOf(one).completions.create(endless, { signal: abort.signal });
    waiting.catch(() => undefined);
    await vi.waitFor(async () => expect((await health(one)).waiting).toBe(1), PATIENCE);
    abort.abort();
    await vi.waitFor(async () => expect((await health(one)).waiting).toBe(0), PATIENCE);
    release();
    await work;
  });

  test("a client that leaves while it sends its request is no error of the server's", async () => {
    const onError = vi.fn();
    const { port } = new URL(await start({ onError }));
    const headers = { "content-type": "application/json", "content-length": 1000 };
    const sending = request({ host: "127.0.0.1", port, method: "POST", path: "/v1/completions", headers });
    sending.on("error", () => {});
    sending.write('{"model": "tiny", ');
    await setTimeout(100);
    sending.destroy();
    await setTimeout(200);
    expect(onError).not.toHaveBeenCalled();
  });

  test("an answer that takes too long ends with an error, in a stream too", async () => {
    const base = await start({ limits: { seconds: 0.05 } });
    // Each piece takes longer than the whole may.
    slowly(100);
    expect(await errorOf(clientOf(base).completions.create(endless))).toMatch(
      /^504 timeout_error timeout: the completion took longer than 0.05 seconds/,
    );
    const stream = async (): Promise<void> => {
      for await (const _ of await clientOf(base).completions.create({ ...endless, stream: true }));
    };
    expect(await errorOf(stream())).toMatch(/timeout_error/);
  });

  test("a failure of the engine is the server's fault, is told of, and ends nothing", async () => {
    const errors: unknown[] = [];
    const base = await start({ onError: (error) => errors.push(error) });
    vi.spyOn(generator, "generate").mockRejectedValueOnce(new Error("secret path"));
    expect(await errorOf(clientOf(base).completions.create({ ...greedy, prompt: "a" }))).toBe(
      "500 server_error null: the server failed to answer; its log says why",
    );
    expect(errors).toMatchObject([{ message: "secret path" }]);
    expect(await clientOf(base).completions.create({ ...greedy, prompt: "a" })).toMatchObject({ model });
  });

  test("closing lets answers finish within the grace, and stops them after it", async () => {
    const server = await serveModel(generator, { model, port: 0 });
    const { release, work } = await held(server.url);
    const closing = server.close(60);
    release();
    expect(await work).toMatchObject({ object: "text_completion" });
    await closing;
    await expect(fetch(`${server.url}/models`)).rejects.toThrow();
    slowly(10);
    const hasty = await serveModel(generator, { model, port: 0 });
    const cut = errorOf(clientOf(hasty.url).completions.create(endless));
    await busy(hasty.url);
    await hasty.close(0);
    expect(await cut).toMatch(/^503 overloaded_error shutting_down/);
  });
});
