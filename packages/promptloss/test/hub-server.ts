// A server that answers what @huggingface/hub asks of the hub about datasets: what is in a commit, its files, parts of
// them. It can hide behind a token, break off in the middle of a file, and counts what it was asked.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubServerOptions {
  /** Files of every dataset, by its id. */
  readonly datasets: Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>>;
  /** Requests without it are refused. */
  readonly token?: string;
}

export interface HubServer extends AsyncDisposable {
  readonly endpoint: string;
  /** Paths of the requests for the files' contents. */
  readonly downloads: string[];
  /** Breaks the connection after so many bytes of each file's content; undefined for never. */
  breakAfter: number | undefined;
  /** Content that is sent in place of a file's, of the same length. */
  forged: string | undefined;
  close(): Promise<void>;
}

/** Every dataset's only commit. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

const ROUTE =
  /^\/(?:api\/datasets\/(?<asked>[^/]+\/[^/]+)\/(?<what>revision|tree)|datasets\/(?<owner>[^/]+\/[^/]+)\/resolve)\/(?<revision>[^/?]+)\/?(?<path>.*)$/;

export async function startHubServer(options: HubServerOptions): Promise<HubServer> {
  const downloads: string[] = [];
  const server = createServer((request, response) => answer(request, response));
  const hub: HubServer = {
    endpoint: "",
    downloads,
    breakAfter: undefined,
    forged: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    [Symbol.asyncDispose]: () => hub.close(),
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url!, "http://hub");
    const { asked, what, owner, revision, path } = ROUTE.exec(url.pathname)?.groups ?? {};
    const files = options.datasets[asked ?? owner ?? ""];
    const content = files?.[decodeURIComponent(path!)];
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`)
      refuse(response, 401, "Invalid username or password.");
    else if (files === undefined || !["main", COMMIT].includes(revision!))
      refuse(response, 404, "Repository not found");
    else if (what === "revision") json(response, { _id: "1", id: asked, sha: COMMIT });
    else if (what === "tree") json(response, listing(files));
    else if (content === undefined) refuse(response, 404, "Entry not found");
    else send(request, response, Buffer.from(content), path!);
  };

  const send = (request: IncomingMessage, response: ServerResponse, content: Buffer, path: string): void => {
    const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const end = to === "" ? content.length : Math.min(Number(to) + 1, content.length);
    const part = (hub.forged === undefined ? content : Buffer.from(hub.forged)).subarray(Number(from), end);
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      "Content-Length": end - Number(from),
      "Content-Range": `bytes ${from}-${end - 1}/${content.length}`,
      ETag: `"${sha256(content)}"`,
    });
    if (end - Number(from) > 1) downloads.push(path);
    if (hub.breakAfter === undefined || part.length <= hub.breakAfter) response.end(part);
    else response.write(part.subarray(0, hub.breakAfter), () => setTimeout(() => response.destroy(), 20));
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(hub, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** As the hub lists a file: data in large file storage, named by its SHA-256, and texts by git's hash. */
function entryOf(path: string, content: Buffer): unknown {
  const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
  const lfs = { oid: sha256(content), size: content.length, pointerSize: 130 };
  return { type: "file", path, size: content.length, oid, ...(!path.endsWith(".md") && { lfs }) };
}

function listing(files: Readonly<Record<string, string | Uint8Array>>): unknown[] {
  return Object.entries(files).map(([path, content]) => entryOf(path, Buffer.from(content)));
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify({ error }));
}
