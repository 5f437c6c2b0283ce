// A judge behind any OpenAI-compatible endpoint. The official client retries what may pass (connections, 408, 409, 429
// with Retry-After, 5xx); answers without a text are asked for again here. The key stays in the request's header.
import { setMaxListeners } from "node:events";
import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from "openai";
import PQueue from "p-queue";
import { z } from "zod";
import type { EndpointJudgeOptions } from "./endpoint-judge.ts";
import { JudgeError } from "./errors.ts";
import type { Judge } from "./judge.ts";
import type { JudgeRequest } from "./protocol.ts";

/** See `endpointJudge`. */
export async function openaiJudge(options: EndpointJudgeOptions): Promise<Judge> {
  const {
    apiKey,
    concurrency = 4,
    requestsPerMinute,
    retries = 5,
    timeoutSeconds = 120,
    body = {},
  } = options;
  const endpoint = checkedUrl(options.endpoint);
  const client = new OpenAI({
    baseURL: endpoint,
    apiKey: apiKey ?? "none",
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: retries,
    timeout: timeoutSeconds * 1000,
    // Its log of requests is not wanted here, whatever the environment says.
    logLevel: "off",
  });
  const fail = (error: unknown): never => {
    throw judgeError(error, endpoint, apiKey);
  };
  const model = options.model ?? (await onlyModel(client, endpoint).catch(fail));
  const ask = asker(client, model, body, retries);
  return {
    name: model,
    identity: JSON.stringify(["endpoint", endpoint, model, body]),
    async reply(requests, onReply, signal) {
      const queue = new PQueue({
        concurrency,
        ...(requestsPerMinute !== undefined && { interval: MINUTE_MS / requestsPerMinute, intervalCap: 1 }),
      });
      // The first failure that is final ends the rest.
      const failed = new AbortController();
      const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
      // Every request listens to it.
      setMaxListeners(0, stop);
      const work = requests.map((request, index) =>
        queue.add(async () => onReply(index, await ask(request, stop)), { signal: stop }),
      );
      try {
        await Promise.all(work);
      } catch (error) {
        failed.abort();
        queue.clear();
        await Promise.allSettled(work);
        signal?.throwIfAborted();
        fail(error);
      }
    },
  };
}

const MINUTE_MS = 60_000;

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new JudgeError(`${text} is not an endpoint's address`, {
      hint: "such as http://127.0.0.1:8000/v1",
    });
  if (url.username !== "" || url.password !== "")
    throw new JudgeError("the endpoint's address holds a password", {
      hint: "put the key into an environment variable and name that",
    });
  return text.replace(/\/+$/, "");
}

async function onlyModel(client: OpenAI, endpoint: string): Promise<string> {
  const models: string[] = [];
  for await (const { id } of client.models.list()) models.push(id);
  const [only, ...more] = models;
  if (only !== undefined && more.length === 0) return only;
  const listed = models.slice(0, 10).join(", ");
  throw new JudgeError(`${endpoint} has ${models.length === 0 ? "no model" : `${models.length} models`}`, {
    hint:
      models.length === 0 ? undefined : `name one as the judge: ${listed}${models.length > 10 ? ", …" : ""}`,
  });
}

const chatSchema = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({ content: z.string() }) })).min(1),
});
const textSchema = z.looseObject({ choices: z.array(z.looseObject({ text: z.string() })).min(1) });

type Asker = (request: JudgeRequest, signal: AbortSignal) => Promise<string>;

function asker(
  client: OpenAI,
  model: string,
  more: Readonly<Record<string, unknown>>,
  retries: number,
): Asker {
  const once: Asker = async ({ prompt, maxNewTokens }, signal) => {
    const body = { model, max_tokens: maxNewTokens, temperature: 0, ...more };
    if ("text" in prompt) {
      const answer = await client.post("/completions", { body: { prompt: prompt.text, ...body }, signal });
      return textSchema.parse(answer).choices[0]!.text;
    }
    const answer = await client.post("/chat/completions", {
      body: { messages: prompt.messages, ...body },
      signal,
    });
    return chatSchema.parse(answer).choices[0]!.message.content;
  };
  return async (request, signal) => {
    for (let tries = 0; ; tries++) {
      try {
        return await once(request, signal);
      } catch (error) {
        if (!isMalformed(error) || tries >= retries) throw error;
        await pause(FIRST_PAUSE_MS * 2 ** Math.min(tries, 6), signal);
      }
    }
  };
}

/** A body that is not JSON, or has no text where it should. */
function isMalformed(error: unknown): boolean {
  return error instanceof z.ZodError || error instanceof SyntaxError;
}

const FIRST_PAUSE_MS = 100;

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new APIUserAbortError());
    });
  });
}

/** Servers repeat a wrong key in their message; it is cut out, and the original error, which has it, dropped. */
function judgeError(error: unknown, endpoint: string, apiKey: string | undefined): unknown {
  const safe = (text: string): string =>
    apiKey === undefined || apiKey === "" ? text : text.replaceAll(apiKey, "[key]");
  if (isMalformed(error))
    return new JudgeError(`${endpoint} answers, but not as OpenAI's API does`, {
      hint: "is the address right? It often ends in /v1",
    });
  if (error instanceof APIConnectionError)
    return new JudgeError(`${endpoint} can't be reached: ${safe(reason(error))}`, {
      hint: "is it running?",
    });
  if (error instanceof APIError) {
    const { status } = error;
    return new JudgeError(`${endpoint} refuses: ${safe(error.message)}`, {
      status,
      hint: HINTS[status ?? 0],
    });
  }
  return error;
}

const HINTS: Readonly<Record<number, string>> = {
  401: "name the environment variable that holds its key",
  404: "are its address and the model's name right?",
};

function reason(error: Error): string {
  let innermost: unknown = error;
  while (innermost instanceof Error && innermost.cause !== undefined) innermost = innermost.cause;
  const { code, message } = innermost as NodeJS.ErrnoException;
  return message || code || error.message;
}
