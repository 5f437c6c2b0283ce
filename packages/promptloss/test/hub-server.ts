// A server that answers what is asked of the hub about repositories: what is in a commit, its files, parts of them. It
// can hide behind a token, break off in the middle of a file, and counts what it was asked. Models are written to as
// hub-writes.ts says.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerWrite, type HubWrites } from "./hub-writes.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

export interface HubServerOptions {
  /** Files of every dataset, by its id. */
  readonly datasets?: Readonly<Record<string, Files>>;
  /** Files of every model, by its id. */
  readonly models?: Readonly<Record<string, Files>>;
  /** Requests without it are refused. */
  readonly token?: string;
  /** Ids whose files are refused to everyone, as the hub refuses those whose terms were not accepted. */
  readonly gated?: readonly string[];
}

export interface HubServer extends AsyncDisposable {
  readonly endpoint: string;
  /** Paths of the requests for the files' contents. */
  readonly downloads: string[];
  /** How many requests there were. */
  readonly requests: { count: number };
  readonly writes: HubWrites;
  /** Breaks the connection after so many bytes of each file's content; undefined for never. */
  breakAfter: number | undefined;
  /** Content that is sent in place of a file's, of the same length. */
  forged: string | undefined;
  close(): Promise<void>;
}

/** A repository as it is now. */
export interface HubServed {
  readonly kind: "dataset" | "model";
  commit: string;
  files: Map<string, Buffer>;
  isPrivate: boolean;
}

/** Every repository's commit at the start. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

const ROUTE =
  /^\/(?:api\/(?:(?<kind>dataset|model)s)\/(?<asked>[^/]+\/[^/]+)\/(?<what>revision|tree)|(?<data>datasets\/)?(?<owner>[^/]+\/[^/]+)\/resolve)\/(?<revision>[^/?]+)\/?(?<path>.*)$/;

export async function startHubServer(options: HubServerOptions): Promise<HubServer> {
  const served = new Map<string, HubServed>();
  const add = (kind: HubServed["kind"], repositories: Readonly<Record<string, Files>> = {}): void => {
    for (const [id, files] of Object.entries(repositories))
      served.set(`${kind} ${id}`, {
        ...{ kind, commit: COMMIT, isPrivate: false },
        files: new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)])),
      });
  };
  add("dataset", options.datasets);
  add("model", options.models);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => refuse(response, 500, String(error)));
  });
  const hub: HubServer = {
    endpoint: "",
    downloads: [],
    requests: { count: 0 },
    writes: { served, blobs: new Map(), uploads: [], commits: [], failUploads: 0 },
    breakAfter: undefined,
    forged: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    [Symbol.asyncDispose]: () => hub.close(),
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    hub.requests.count++;
    const url = new URL(request.url!, "http://hub");
    const { kind, asked, what, data, owner, revision, path } = ROUTE.exec(url.pathname)?.groups ?? {};
    const id = asked ?? owner ?? "";
    const repository = served.get(`${kind ?? (data === undefined ? "model" : "dataset")} ${id}`);
    const content = repository?.files.get(decodeURIComponent(path!));
    const isAllowed =
      options.token === undefined ||
      request.headers.authorization === `Bearer ${options.token}` ||
      // Storage is given addresses that are signed, not the token.
      url.pathname.startsWith("/storage/");
    if (!isAllowed) refuse(response, 401, "Invalid username or password.");
    else if (await answerWrite(hub.writes, hub.endpoint, request, response)) return;
    else if (repository === undefined || !["main", repository.commit].includes(decodeURIComponent(revision!)))
      refuse(response, 404, "Repository not found");
    else if (what === "revision") json(response, { _id: "1", id: asked, sha: repository.commit });
    else if (what === "tree") json(response, listing(repository.files));
    else if (options.gated?.includes(id)) refuse(response, 403, `Access to model ${id} is restricted`);
    else if (content === undefined) refuse(response, 404, "Entry not found");
    else send(request, response, content, decodeURIComponent(path!), repository.commit);
  };

  const send = (
    request: IncomingMessage,
    response: ServerResponse,
    content: Buffer,
    path: string,
    commit: string,
  ): void => {
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const end = to === "" ? content.length : Math.min(Number(to) + 1, content.length);
    const part = (hub.forged === undefined ? content : Buffer.from(hub.forged)).subarray(Number(from), end);
    const { lfs, oid } = entryOf(path, content);
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      "Content-Length": end - Number(from),
      ...(request.headers.range !== undefined && {
        "Content-Range": `bytes ${from}-${end - 1}/${content.length}`,
      }),
      ETag: `"${lfs?.oid ?? oid}"`,
      "X-Repo-Commit": commit,
    });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    if (end - Number(from) > 1) hub.downloads.push(path);
    if (hub.breakAfter === undefined || part.length <= hub.breakAfter) response.end(part);
    else response.write(part.subarray(0, hub.breakAfter), () => setTimeout(() => response.destroy(), 20));
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(hub, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Whether the hub keeps a file in large file storage, by its name. */
export function isLarge(path: string): boolean {
  return /\.(safetensors|parquet|jsonl|model|gguf|bin)$/.test(path) || path === "tokenizer.json";
}

interface Entry {
  readonly type: "file";
  readonly path: string;
  readonly size: number;
  readonly oid: string;
  readonly lfs?: { readonly oid: string; readonly size: number; readonly pointerSize: number };
}

/** As the hub lists a file: data in large file storage, named by its SHA-256, and texts by git's hash. */
function entryOf(path: string, content: Buffer): Entry {
  const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
  const lfs = { oid: sha256(content), size: content.length, pointerSize: 130 };
  return { type: "file", path, size: content.length, oid, ...(isLarge(path) && { lfs }) };
}

function listing(files: ReadonlyMap<string, Buffer>): unknown[] {
  return [...files].map(([path, content]) => entryOf(path, content));
}

export function json(response: ServerResponse, value: unknown, status = 200): ServerResponse {
  return response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

export function refuse(response: ServerResponse, status: number, error: string): ServerResponse {
  const headers = status === 403 ? { "X-Error-Code": "GatedRepo" } : {};
  return response
    .writeHead(status, { "Content-Type": "application/json", ...headers })
    .end(JSON.stringify({ error }));
}
