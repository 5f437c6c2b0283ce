// Judges behind an endpoint, over a server that follows a script.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { endpointJudge, type JudgeRequest } from "../src/evaluation/judges/index.ts";

interface Heard {
  readonly path: string;
  readonly key: string | undefined;
  readonly body: Record<string, unknown>;
}

type Step = (response: ServerResponse, heard: Heard) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** Takes the script's steps one a request, the last for all that follow. */
async function scripted(...steps: Step[]) {
  const heard: Heard[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const one = {
      path: request.url!,
      key: request.headers.authorization,
      body: body === "" ? {} : JSON.parse(body),
    };
    heard.push(one);
    steps[Math.min(heard.length, steps.length) - 1]!(response, one);
  };
  const server = createServer((request, response) => void handle(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { heard, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Step {
  return (response) =>
    void response
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end(typeof body === "string" ? body : JSON.stringify(body));
}

function chat(content: unknown): Step {
  return json({ choices: [{ message: { role: "assistant", content } }] });
}
function failing(status: number, message = "no", headers: Record<string, string> = {}): Step {
  return json({ error: { message, type: "error", param: null, code: null } }, status, headers);
}

function request(content = "rank", changes: Partial<JudgeRequest> = {}): JudgeRequest {
  return {
    prompt: { messages: [{ role: "user", content }] },
    maxNewTokens: 100,
    local: {},
    switched: false,
    ...changes,
  };
}

async function answersOf(
  options: Parameters<typeof endpointJudge>[0],
  requests: JudgeRequest[] = [request()],
  signal?: AbortSignal,
): Promise<string[]> {
  const judge = await endpointJudge({ model: "m", ...options });
  const answers: string[] = [];
  await judge.reply(
    requests,
    (i, answer) => {
      answers[i] = answer;
    },
    signal,
  );
  return answers;
}

/** Retries wait as long as the server asks: here hardly at all. */
const SOON = { "retry-after-ms": "1" };

describe("what is sent", () => {
  test("chats and texts, at temperature 0, with the key and more fields", async () => {
    const { heard, endpoint } = await scripted(chat("one"), json({ choices: [{ text: "two" }] }));
    const options = { endpoint: `${endpoint}/`, apiKey: "secret", concurrency: 1, body: { top_k: 3 } };
    const texts = [request(), request("", { prompt: { text: "go on" }, maxNewTokens: 512 })];
    expect(await answersOf(options, texts)).toEqual(["one", "two"]);
    const shared = { model: "m", temperature: 0, top_k: 3 };
    expect(heard).toEqual([
      {
        path: "/v1/chat/completions",
        key: "Bearer secret",
        body: { ...shared, max_tokens: 100, messages: [{ role: "user", content: "rank" }] },
      },
      {
        path: "/v1/completions",
        key: "Bearer secret",
        body: { ...shared, max_tokens: 512, prompt: "go on" },
      },
    ]);
  });

  test("no key where none is given, whatever the environment holds", async () => {
    vi.stubEnv("OPENAI_API_KEY", "from-the-environment");
    const { heard, endpoint } = await scripted(chat("one"));
    await answersOf({ endpoint });
    expect(heard[0]!.key).not.toContain("environment");
    vi.unstubAllEnvs();
  });

  test("the only model is taken; of several one is to be named", async () => {
    const models = (...ids: string[]): Step =>
      json({ object: "list", data: ids.map((id) => ({ id, object: "model" })) });
    const one = await scripted(models("lone"));
    expect((await endpointJudge({ endpoint: one.endpoint })).name).toBe("lone");
    const several = await scripted(models("a", "b"));
    await expect(endpointJudge({ endpoint: several.endpoint })).rejects.toMatchObject({
      message: `${several.endpoint} has 2 models`,
      hint: "name one as the judge: a, b",
    });
  });

  test("as many at once as allowed, and no more", async () => {
    const open: (() => void)[] = [];
    let most = 0;
    const together: Step = (response, heard) => {
      open.push(() => chat("x")(response, heard));
      most = Math.max(most, open.length);
      // A fourth, were it sent, would come in the meantime.
      if (open.length === 3)
        setTimeout(() => {
          for (const answer of open.splice(0)) answer();
        }, 50);
    };
    const { endpoint } = await scripted(together);
    const requests = Array.from({ length: 9 }, (_, i) => request(String(i)));
    expect(await answersOf({ endpoint, concurrency: 3 }, requests)).toHaveLength(9);
    expect(most).toBe(3);
  });

  test("no more a minute than allowed", async () => {
    const abort = new AbortController();
    // The second waits for its minute, which this test does not; were it sent, it would come in the meantime.
    const { heard, endpoint } = await scripted((response, one) => {
      response.on("close", () => abort.abort(new Error("enough")));
      setTimeout(() => chat("x")(response, one), 200);
    });
    const options = { endpoint, concurrency: 3, requestsPerMinute: 1 };
    const requests = [request("a"), request("b"), request("c")];
    await expect(answersOf(options, requests, abort.signal)).rejects.toThrow("enough");
    expect(heard).toHaveLength(1);
  });
});

describe("what passes", () => {
  test.each([
    ["too many requests", failing(429, "slow down", SOON)],
    ["a server that fails", failing(500, "oops", SOON)],
    ["a server that is overloaded", failing(503, "later", SOON)],
    ["a connection that breaks", (response: ServerResponse) => void response.destroy()],
    ["a page that is no JSON", (response: ServerResponse) => void response.end("<html>")],
    ["JSON that is cut off", json('{"choices": [')],
    ["an answer without choices", json({ choices: [] })],
    ["an answer without a text", chat(null)],
  ])("%s", async (_, step) => {
    const { heard, endpoint } = await scripted(step, step, chat("well"));
    expect(await answersOf({ endpoint })).toEqual(["well"]);
    expect(heard).toHaveLength(3);
  });

  test("but not for ever", async () => {
    const limited = await scripted(failing(429, "slow down", SOON));
    await expect(answersOf({ endpoint: limited.endpoint, retries: 2 })).rejects.toMatchObject({
      name: "JudgeError",
      status: 429,
      message: expect.stringContaining("slow down"),
    });
    expect(limited.heard).toHaveLength(3);
    const strange = await scripted(chat(null));
    await expect(answersOf({ endpoint: strange.endpoint, retries: 1 })).rejects.toThrow(
      "answers, but not as OpenAI's API does",
    );
    expect(strange.heard).toHaveLength(2);
    const silent = await scripted(() => {});
    await expect(answersOf({ endpoint: silent.endpoint, retries: 0, timeoutSeconds: 0.05 })).rejects.toThrow(
      "can't be reached",
    );
  });
});

describe("what is final", () => {
  test("a refusal ends the run; what was answered was told", async () => {
    const { heard, endpoint } = await scripted(chat("one"), failing(400, "too long"), chat("never"));
    const judge = await endpointJudge({ endpoint, model: "m", concurrency: 1 });
    const told: string[] = [];
    const all = Array.from({ length: 20 }, (_, i) => request(String(i)));
    await expect(judge.reply(all, (_, answer) => told.push(answer))).rejects.toMatchObject({ status: 400 });
    expect(told).toEqual(["one"]);
    expect(heard.length).toBeLessThan(20);
  });

  test("errors, names and identities hold no key", async () => {
    const echo: Step = (response, heard) => failing(401, `wrong key ${heard.key}`)(response, heard);
    const { endpoint } = await scripted(echo);
    const options = { endpoint, model: "m", apiKey: "sk-secret" };
    const judge = await endpointJudge(options);
    expect(JSON.stringify(judge)).not.toContain("sk-secret");
    const error = await answersOf(options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 401, message: expect.stringContaining("wrong key Bearer [key]") });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("sk-secret");
    expect((error as Error).cause).toBeUndefined();
  });

  test.each([
    ["nonsense", "is not an endpoint's address"],
    ["ftp://127.0.0.1/v1", "is not an endpoint's address"],
    ["http://me:word@127.0.0.1/v1", "the endpoint's address holds a password"],
    ["http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1 can't be reached: "],
  ])("%s", async (endpoint, message) => {
    const error = await answersOf({ endpoint, retries: 0 }).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain("word@");
  });

  test("a signal ends it", async () => {
    const abort = new AbortController();
    const { endpoint } = await scripted(() => abort.abort(new Error("enough")));
    await expect(answersOf({ endpoint }, [request(), request("b")], abort.signal)).rejects.toThrow("enough");
  });
});
