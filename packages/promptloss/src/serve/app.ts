// The HTTP interface: /v1/models, /v1/completions, /v1/chat/completions and /health, in OpenAI's shapes. Listening and
// ending is server.ts's part.
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { stream } from "hono/streaming";
import type { TextGenerator, TextPiece, TextResult } from "../generation/index.ts";
import { checkKey, checkOrigin } from "./access.ts";
import { asServeError, errorBody, ServeError } from "./errors.ts";
import { checkHost } from "./host.ts";
import type { ServeLimits } from "./limits.ts";
import type { EngineQueue } from "./queue.ts";
import { chatRequest, completionRequest, type RequestContext, type TextRequest } from "./requests.ts";
import { ResponseBodies } from "./responses.ts";

export interface AppOptions {
  readonly generator: TextGenerator;
  /** The id that requests name. */
  readonly model: string;
  readonly limits: ServeLimits;
  readonly queue: EngineQueue;
  /** Names that clients may call this server by, beside addresses and localhost; undefined for any. */
  readonly hosts?: readonly string[] | undefined;
  /** Clients must send it as a bearer token; undefined lets all in. */
  readonly apiKey?: string;
  /** Hears of errors that are not the client's. */
  readonly onError?: (error: unknown) => void;
}

type Reader = (body: unknown, context: RequestContext) => TextRequest;

export function createApp(options: AppOptions): Hono {
  const { generator, model, limits, queue, apiKey, hosts } = options;
  const app = new Hono();
  const started = Math.floor(Date.now() / 1000);
  const card = { id: model, object: "model", created: started, owned_by: "promptloss" };
  const context: RequestContext = {
    limits,
    temperature: generator.defaults.temperature ?? 1,
    chatTokens: generator.defaults.maxNewTokens ?? limits.tokens,
  };

  app.use(async (c, next) => {
    const host = c.req.header("host");
    checkHost(host, hosts);
    checkOrigin({ origin: c.req.header("origin"), fetchSite: c.req.header("sec-fetch-site"), host });
    await next();
  });
  app.get("/health", (c) => c.json({ status: "ok", running: queue.running, waiting: queue.waiting }));
  if (apiKey !== undefined)
    app.use("/v1/*", async (c, next) => {
      checkKey(c.req.header("authorization"), apiKey);
      await next();
    });
  app.get("/v1/models", (c) => c.json({ object: "list", data: [card] }));
  app.get("/v1/models/:id{.+}", (c) => {
    checkModel(c.req.param("id"), model);
    return c.json(card);
  });
  const limited = bodyLimit({
    maxSize: limits.bodyBytes,
    onError: () => {
      throw new ServeError(413, `the body has more than ${limits.bodyBytes} bytes`, {
        code: "body_too_large",
      });
    },
  });
  const handler = (read: Reader) => async (c: Context) => {
    const request = read(await jsonBody(c), context);
    checkModel(request.model, model);
    return request.stream ? streamed(c, request, options) : whole(c, request, options);
  };
  app.post("/v1/completions", limited, handler(completionRequest));
  app.post("/v1/chat/completions", limited, handler(chatRequest));
  for (const path of ["/v1/completions", "/v1/chat/completions"])
    app.all(path, (c) => {
      throw new ServeError(405, `${c.req.method} is not for ${path}`, { hint: "send a POST" });
    });
  app.notFound((c) => failed(c, new ServeError(404, `there is no ${c.req.path}`), options));
  app.onError((error, c) => failed(c, error, options));
  return app;
}

/** @throws {ServeError} for what is not JSON. Browsers send no JSON to other sites unasked, so its type is required. */
async function jsonBody(c: Context): Promise<unknown> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type))
    throw new ServeError(415, `the body's type is ${type === "" ? "missing" : type}`, {
      hint: "send content-type: application/json",
    });
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServeError(400, `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function checkModel(asked: string, served: string): void {
  if (asked !== served)
    throw new ServeError(404, `there is no model ${asked} here, but ${served}`, {
      param: "model",
      code: "model_not_found",
    });
}

function failed(c: Context, error: unknown, { onError }: AppOptions): Response {
  // Whatever fails because the client has gone, as the reading of its body, is nobody's fault.
  const known = c.req.raw.signal.aborted
    ? new ServeError(499, "the client has gone", { cause: error })
    : asServeError(error);
  if (known.status === 500) onError?.(error);
  if (known.status === 503) c.header("Retry-After", "1");
  // 499 is nobody's standard, and nobody is there to read it.
  return c.json(errorBody(known), known.status as 400);
}

async function whole(c: Context, request: TextRequest, { generator, queue }: AppOptions): Promise<Response> {
  const results = await queue.run(
    (signal) => generator.generate(request.prompts, { ...request.options, signal }),
    c.req.raw.signal,
  );
  return c.json(await new ResponseBodies(request, generator.tokenizer).whole(results));
}

/** Server-sent events. What fails before the first piece is answered as an error of its own status. */
async function streamed(c: Context, request: TextRequest, options: AppOptions): Promise<Response> {
  const { generator, queue, onError } = options;
  const bodies = new ResponseBodies(request, generator.tokenizer);
  const pieces: TextPiece[] = [];
  let hear = (piece: TextPiece): void => void pieces.push(piece);
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const done: Promise<TextResult[]> = queue.run(
    (signal) =>
      generator.generate(request.prompts, {
        ...request.options,
        signal,
        onText: (piece) => {
          hear(piece);
          begin();
        },
      }),
    c.req.raw.signal,
  );
  await Promise.race([begun, done]);
  c.header("Content-Type", "text/event-stream; charset=utf-8");
  c.header("Cache-Control", "no-cache");
  return stream(c, async (out) => {
    // Not awaited: a client that reads slowly must not hold the engine. The token limit bounds what waits.
    const send = (data: string): void => void out.write(`data: ${data}\n\n`);
    hear = (piece) => send(JSON.stringify(bodies.piece(piece)));
    pieces.forEach(hear);
    try {
      for (const chunk of bodies.last(await done)) send(JSON.stringify(chunk));
    } catch (error) {
      const known = asServeError(error);
      if (known.status === 500 && !c.req.raw.signal.aborted) onError?.(error);
      send(JSON.stringify(errorBody(known)));
      return;
    }
    await out.write("data: [DONE]\n\n");
  });
}
