// Listens, and ends: new requests are refused, those at work may finish within a grace, then connections close.
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { PromptlossError } from "../errors.ts";
import type { TextGenerator } from "../generation/index.ts";
import { checkBinding } from "./access.ts";
import { type AppPart, createApp } from "./app.ts";
import { JobService } from "./jobs/service.ts";
import { type ServeLimits, serveLimits } from "./limits.ts";
import { type BaseModel, ModelShelf } from "./models.ts";
import { EngineQueue } from "./queue.ts";

export interface ServiceOptions {
  /** Where files and fine-tuning jobs are kept; none are taken where left out. */
  readonly jobs?: string | undefined;
  /** 127.0.0.1 where left out: this machine alone. A place that other machines reach needs an `apiKey`. */
  readonly host?: string;
  /** 8000 where left out; 0 takes a free one. */
  readonly port?: number;
  readonly limits?: Partial<ServeLimits>;
  /** Clients must send it as a bearer token; all are let in where left out. */
  readonly apiKey?: string;
  /**
   * Names that clients may call the server by, beside `host`, localhost and addresses. Any where there is a key, which
   * pages of other sites don't have.
   */
  readonly allowedHosts?: readonly string[];
  /** Routes beside OpenAI's, in the same app. */
  readonly part?: AppPart;
  /** Hears of errors that are not the client's. */
  readonly onError?: (error: unknown) => void;
}

export interface ServeOptions extends ServiceOptions {
  /** The id that requests name the model by. */
  readonly model: string;
  /** Its folder, from which jobs train. */
  readonly folder?: string;
}

export interface ModelServer {
  /** Where clients find it: `http://127.0.0.1:8000/v1`. */
  readonly url: string;
  readonly limits: ServeLimits;
  /** Ends the server; those at work get so many seconds, 10 where left out. The generator is the caller's to free. */
  close(graceSeconds?: number): Promise<void>;
}

const GRACE_SECONDS = 10;

/**
 * Serves a generator over HTTP as OpenAI's API: models, completions, chat completions, streams.
 * @throws {PromptlossError} for limits out of range and a place that can't be listened at
 * @example
 * ```ts
 * import { serveModel, TextGenerator } from "promptloss";
 *
 * const generator = await TextGenerator.load("model");
 * const server = await serveModel(generator, { model: "my-model", port: 0 });
 * console.log(server.url);
 * await server.close();
 * generator.free();
 * ```
 */
export async function serveModel(generator: TextGenerator, options: ServeOptions): Promise<ModelServer> {
  const { model, folder, ...rest } = options;
  return serveModels([{ id: model, generator, folder }], rest);
}

/**
 * Serves several generators, each by its id, and with `jobs` takes files and trains from these models.
 * @throws {PromptlossError} as {@link serveModel}; for ids that are not apart, and a folder that another service has
 */
export async function serveModels(
  bases: readonly BaseModel[],
  options: ServiceOptions = {},
): Promise<ModelServer> {
  const { host = "127.0.0.1", port = 8000, jobs, apiKey, allowedHosts = [], part, onError } = options;
  checkBinding(host, apiKey);
  checkIds(bases);
  const limits = serveLimits(options.limits);
  const queue = new EngineQueue(limits);
  const models = new ModelShelf(bases, Math.floor(Date.now() / 1000), limits);
  const service =
    jobs === undefined
      ? undefined
      : new JobService({ folder: jobs, limits, models, onError: onError ?? (() => {}) });
  const app = createApp({
    models,
    service,
    limits,
    queue,
    part,
    hosts: apiKey === undefined ? [host, ...allowedHosts] : undefined,
    ...(apiKey !== undefined && { apiKey }),
    ...(onError !== undefined && { onError }),
  });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    await service?.close();
    throw cannotListen(cause as NodeJS.ErrnoException, host, port);
  }
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${taken}/v1`,
    limits,
    async close(graceSeconds = GRACE_SECONDS) {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      await Promise.all([queue.close(graceSeconds), service?.close()]);
      // The last responses are on their way; connections that stay open after them are cut.
      const cut = setTimeout(() => server.closeAllConnections(), LAST_BYTES_MS);
      server.closeIdleConnections();
      await closed;
      clearTimeout(cut);
      models.free();
    },
  };
}

/** Time for the last bytes of responses to leave, once all are made. */
const LAST_BYTES_MS = 500;

/** @throws {PromptlossError} */
function checkIds(bases: readonly BaseModel[]): void {
  const ids = bases.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined)
    throw new PromptlossError(`two models are called ${twice}`, {
      hint: "requests name models by their folders' names: rename one of the folders",
    });
}

function cannotListen(cause: NodeJS.ErrnoException, host: string, port: number): PromptlossError {
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there: choose another port, or 0 for a free one",
    EACCES: "ports below 1024 are the system's: choose another",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "there is no such host",
    ERR_SOCKET_BAD_PORT: "ports are numbers up to 65535",
  };
  return new PromptlossError(`can't listen at ${host}:${port}: ${cause.message}`, {
    hint: hints[cause.code ?? ""],
    cause,
  });
}
