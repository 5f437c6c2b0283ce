// The HTTP interface in OpenAI's shapes: who is let in, which address leads where, and errors. Listening and ending is
// server.ts's part.
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { checkKey, checkOrigin } from "./access.ts";
import { asServeError, errorBody, ServeError } from "./errors.ts";
import { checkHost } from "./host.ts";
import type { JobService } from "./jobs/service.ts";
import type { ServeLimits } from "./limits.ts";
import type { ModelShelf } from "./models.ts";
import type { EngineQueue } from "./queue.ts";
import { textRoutes } from "./text-routes.ts";

/** What the routes of an {@link AppPart} may work with. */
export interface AppContext {
  readonly models: ModelShelf;
  /** Files and jobs; undefined where the server takes none. */
  readonly service: JobService | undefined;
  readonly limits: ServeLimits;
  /** Refuses large bodies. */
  readonly limited: MiddlewareHandler;
  /** So many requests work at once, the others wait. */
  readonly queue: EngineQueue;
}

/** Routes beside OpenAI's, in the same app: the rules of hosts, origins and keys hold for them too. */
export interface AppPart {
  /** The addresses that ask for the key where there is one: `/studio/api/*`. */
  readonly guarded: string;
  routes(app: Hono, context: AppContext): void;
}

export interface AppOptions {
  readonly models: ModelShelf;
  /** Files and jobs; undefined where the server takes none. */
  readonly service: JobService | undefined;
  readonly limits: ServeLimits;
  readonly queue: EngineQueue;
  /** Names that clients may call this server by, beside addresses and localhost; undefined for any. */
  readonly hosts?: readonly string[] | undefined;
  /** Clients must send it as a bearer token; undefined lets all in. */
  readonly apiKey?: string;
  readonly part?: AppPart | undefined;
  /** Hears of errors that are not the client's. */
  readonly onError?: (error: unknown) => void;
}

export function createApp(options: AppOptions): Hono {
  const { models, service, limits, queue, apiKey, hosts, part } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    const host = c.req.header("host");
    checkHost(host, hosts);
    checkOrigin({ origin: c.req.header("origin"), fetchSite: c.req.header("sec-fetch-site"), host });
    await next();
  });
  app.get("/health", (c) => c.json({ status: "ok", running: queue.running, waiting: queue.waiting }));
  if (apiKey !== undefined)
    for (const guarded of ["/v1/*", ...(part === undefined ? [] : [part.guarded])])
      app.use(guarded, async (c, next) => {
        checkKey(c.req.header("authorization"), apiKey);
        await next();
      });
  const limited = bodyLimit({
    maxSize: limits.bodyBytes,
    onError: () => {
      throw new ServeError(413, `the body has more than ${limits.bodyBytes} bytes`, {
        code: "body_too_large",
      });
    },
  });
  app.get("/v1/models", (c) => c.json({ object: "list", data: models.cards }));
  app.get("/v1/models/:id{.+}", (c) => c.json(models.card(c.req.param("id"))));
  app.delete("/v1/models/:id{.+}", (c) => {
    const { id } = models.card(c.req.param("id"));
    models.remove(id);
    service?.deleteModel(id);
    return c.json({ id, object: "model", deleted: true });
  });
  textRoutes(app, { ...options, limited });
  if (service !== undefined) service.routes(app, { models, limited });
  else
    for (const path of ["/v1/files", "/v1/fine_tuning"])
      for (const each of [path, `${path}/*`])
        app.all(each, () => {
          throw new ServeError(404, "this server takes no files and no jobs", {
            code: "jobs_off",
            hint: "start it with --jobs FOLDER",
          });
        });
  part?.routes(app, { models, service, limits, limited, queue });
  app.notFound((c) => failed(c, new ServeError(404, `there is no ${c.req.path}`), options));
  app.onError((error, c) => failed(c, error, options));
  return app;
}

function failed(c: Context, error: unknown, { onError }: AppOptions): Response {
  // Whatever fails because the client has gone, as the reading of its body, is nobody's fault.
  const known = c.req.raw.signal.aborted
    ? new ServeError(499, "the client has gone", { cause: error })
    : asServeError(error);
  if (known.status === 500) onError?.(error);
  if (known.status === 503 || known.status === 429) c.header("Retry-After", "1");
  // 499 is nobody's standard, and nobody is there to read it.
  return c.json(errorBody(known), known.status as 400);
}
