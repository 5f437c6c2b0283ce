// /v1/completions and /v1/chat/completions: a request to its model, and what comes of it whole or as a stream.
import type { Context, Hono, MiddlewareHandler } from "hono";
import { MaskShelf, type TextGenerator, type TextResult } from "../generation/index.ts";
import { isJsonObject } from "../json-object.ts";
import { chatRequest } from "./chat-request.ts";
import { asServeError, errorBody, ServeError } from "./errors.ts";
import { eventStream } from "./event-stream.ts";
import { jsonBody } from "./fields.ts";
import type { ServeLimits } from "./limits.ts";
import type { Lease, ModelShelf } from "./models.ts";
import type { EngineQueue } from "./queue.ts";
import { completionRequest, type RequestContext, type TextRequest } from "./requests.ts";
import { ResponseBodies } from "./responses.ts";

export interface TextRoutesOptions {
  readonly models: ModelShelf;
  readonly limits: ServeLimits;
  readonly queue: EngineQueue;
  /** Refuses large bodies. */
  readonly limited: MiddlewareHandler;
  /** Hears of errors that are not the client's. */
  readonly onError?: (error: unknown) => void;
}

type Reader = (body: unknown, context: RequestContext) => TextRequest;

export function textRoutes(app: Hono, options: TextRoutesOptions): void {
  const { models, limits, limited } = options;
  const handler = (read: Reader) => async (c: Context) => {
    const body = await jsonBody(c);
    const lease = await models.lease(modelOf(body));
    let streams = false;
    try {
      const { generator } = lease;
      const request = read(body, {
        limits,
        temperature: generator.defaults.temperature ?? 1,
        chatTokens: generator.defaults.maxNewTokens ?? limits.tokens,
        template: generator.template,
        masks: masksOf(generator),
      });
      streams = request.stream;
      return streams
        ? await streamed(c, request, lease, options)
        : await whole(c, request, generator, options);
    } catch (error) {
      streams = false;
      throw error;
    } finally {
      // A stream gives it back at its end.
      if (!streams) lease[Symbol.dispose]();
    }
  };
  app.post("/v1/completions", limited, handler(completionRequest));
  app.post("/v1/chat/completions", limited, handler(chatRequest));
  for (const path of ["/v1/completions", "/v1/chat/completions"])
    app.all(path, (c) => {
      throw new ServeError(405, `${c.req.method} is not for ${path}`, { hint: "send a POST" });
    });
}

const shelves = new WeakMap<TextGenerator, MaskShelf>();

function masksOf(generator: TextGenerator): MaskShelf {
  let shelf = shelves.get(generator);
  if (shelf === undefined) {
    shelf = new MaskShelf(generator.tokenizer, generator.model.architecture.vocabularySize);
    shelves.set(generator, shelf);
  }
  return shelf;
}

/** @throws {ServeError} 400 for a body that names no model */
function modelOf(body: unknown): string {
  if (!isJsonObject(body)) throw new ServeError(400, "the body is no JSON object");
  const { model } = body;
  if (typeof model === "string") return model;
  throw new ServeError(400, model === undefined ? "model: is missing" : "model: a string was expected", {
    param: "model",
  });
}

async function whole(
  c: Context,
  request: TextRequest,
  generator: TextGenerator,
  { queue }: TextRoutesOptions,
): Promise<Response> {
  const results = await queue.run(
    (signal) => generator.generate(request.prompts, { ...request.options, signal }),
    c.req.raw.signal,
  );
  return c.json(await new ResponseBodies(request, generator.tokenizer).whole(results));
}

/** Server-sent events. What fails before the first piece is answered as an error of its own status. */
async function streamed(
  c: Context,
  request: TextRequest,
  lease: Lease,
  options: TextRoutesOptions,
): Promise<Response> {
  const { generator } = lease;
  const { queue, onError } = options;
  const promptIds =
    request.options.logProbabilities === undefined
      ? []
      : await Promise.all(request.prompts.map((prompt) => generator.promptIds(prompt)));
  const bodies = new ResponseBodies(request, generator.tokenizer, promptIds);
  const before: object[] = [];
  let hear = (chunk: object): void => void before.push(chunk);
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const done: Promise<TextResult[]> = queue.run(
    (signal) =>
      generator.generate(request.prompts, {
        ...request.options,
        signal,
        onText: async (piece) => {
          const chunk = await bodies.piece(piece);
          if (chunk !== undefined) hear(chunk);
          begin();
        },
      }),
    c.req.raw.signal,
  );
  await Promise.race([begun, done]);
  return eventStream(c, async (out) => {
    // Not awaited: a client that reads slowly must not hold the engine. The token limit bounds what waits.
    const send = (data: string): void => void out.write(`data: ${data}\n\n`);
    hear = (chunk) => send(JSON.stringify(chunk));
    before.forEach(hear);
    try {
      for (const chunk of await bodies.last(await done)) send(JSON.stringify(chunk));
      send("[DONE]");
    } catch (error) {
      const known = asServeError(error);
      if (known.status === 500 && !c.req.raw.signal.aborted) onError?.(error);
      send(JSON.stringify(errorBody(known)));
    } finally {
      lease[Symbol.dispose]();
    }
  });
}
