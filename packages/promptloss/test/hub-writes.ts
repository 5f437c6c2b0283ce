// The half of the hub's server that is written to: repositories made, files asked for by size and sample, contents taken
// into large file storage, commits as lines of JSON. Each request is held to what the hub asks of it, and one that the
// hub would refuse is refused. Facts: huggingface_hub 1.33.0, hf_api.py, _commit_api.py and lfs.py.
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type HubServed, isLarge, json, refuse, sha256 } from "./hub-server.ts";

export interface HubWrites {
  readonly served: Map<string, HubServed>;
  /** Large file storage, by SHA-256. */
  readonly blobs: Map<string, Buffer>;
  /** SHA-256 of the contents that were sent, in order; a part of one by its number too. */
  readonly uploads: string[];
  readonly commits: { summary: string; paths: string[] }[];
  /** So many of the next uploads are refused. */
  failUploads: number;
}

/** Contents above this many bytes are sent in parts. */
const PART_BYTES = 100_000;

const parts = new Map<string, Buffer[]>();

/** Whether the request was a write, which is answered then. */
export async function answerWrite(
  writes: HubWrites,
  endpoint: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (request.method !== "POST" && request.method !== "PUT") return false;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { pathname } = new URL(request.url!, endpoint);
  const [, id = "", what = ""] =
    /^\/api\/models\/([^/]+\/[^/]+)\/(preupload|commit)\/main$/.exec(pathname) ?? [];
  const [, lfs = ""] = /^\/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/.exec(pathname) ?? [];
  const repository = writes.served.get(`model ${id || lfs}`);
  if (pathname === "/api/repos/create") create(writes, endpoint, body, response);
  else if (pathname.startsWith("/storage/")) store(writes, request, pathname, body, response);
  else if (repository === undefined) refuse(response, 404, "Repository not found");
  else if (what === "preupload") preupload(body, response);
  else if (what === "commit") commit(writes, repository, `${endpoint}/${id}`, body, request, response);
  else batch(writes, endpoint, body, request, response);
  return true;
}

function create(
  { served }: HubWrites,
  endpoint: string,
  body: Buffer,
  response: ServerResponse,
): ServerResponse {
  const { name, organization, type = "model", visibility, private: hidden } = JSON.parse(body.toString());
  const id = `${organization}/${name}`;
  if (type !== "model" || !/^[\w.-]+$/.test(name)) return refuse(response, 400, "Invalid repository");
  if (organization === "other") return refuse(response, 403, "You don't have the rights to create a model");
  if (served.has(`model ${id}`)) return refuse(response, 409, "You already created this model repo");
  const isPrivate = visibility === "private" || hidden === true;
  served.set(`model ${id}`, { kind: "model", commit: "0".repeat(40), files: new Map(), isPrivate });
  return json(response, { url: `${endpoint}/${id}`, id });
}

function preupload(body: Buffer, response: ServerResponse): ServerResponse {
  const { files } = JSON.parse(body.toString()) as {
    files: { path: string; size: number; sample: string }[];
  };
  const wrong = files.find(
    ({ path, size, sample }) =>
      path.startsWith("/") ||
      path.includes("..") ||
      Buffer.from(sample, "base64").length !== Math.min(size, 512),
  );
  if (wrong !== undefined) return refuse(response, 400, `Invalid file ${wrong.path}`);
  const modes = files.map(({ path }) => ({
    ...{ path, uploadMode: isLarge(path) ? "lfs" : "regular", shouldIgnore: false },
  }));
  return json(response, { files: modes });
}

function batch(
  { blobs }: HubWrites,
  endpoint: string,
  body: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): ServerResponse {
  const { operation, transfers, objects } = JSON.parse(body.toString()) as {
    operation: string;
    transfers: string[];
    objects: { oid: string; size: number }[];
  };
  const isLfs = request.headers["content-type"] === "application/vnd.git-lfs+json";
  if (!isLfs || operation !== "upload" || !transfers.includes("basic") || !transfers.includes("multipart"))
    return refuse(response, 422, "Invalid LFS request");
  const answers = objects.map(({ oid, size }) => {
    if (blobs.has(oid)) return { oid, size };
    const href = `${endpoint}/storage/${oid}`;
    if (size <= PART_BYTES) return { oid, size, actions: { upload: { href } } };
    const numbers = Array.from({ length: Math.ceil(size / PART_BYTES) }, (_, index) => `${index + 1}`);
    const header = Object.fromEntries(
      numbers.map((number) => [number.padStart(5, "0"), `${href}/${number}`]),
    );
    return {
      ...{ oid, size },
      actions: { upload: { href: `${href}/complete`, header: { chunk_size: `${PART_BYTES}`, ...header } } },
    };
  });
  return response
    .writeHead(200, { "Content-Type": "application/vnd.git-lfs+json" })
    .end(JSON.stringify({ transfer: "basic", objects: answers }));
}

function store(
  writes: HubWrites,
  request: IncomingMessage,
  pathname: string,
  body: Buffer,
  response: ServerResponse,
): ServerResponse {
  const [, , oid = "", part] = pathname.split("/");
  if (request.headers.authorization !== undefined)
    return refuse(response, 400, "Storage takes no token of the hub's");
  if (writes.failUploads > 0) {
    writes.failUploads--;
    return refuse(response, 500, "Storage is out of order");
  }
  if (part === "complete") {
    const listed = (JSON.parse(body.toString()) as { oid: string; parts: { etag: string }[] }).parts;
    const sent = parts.get(oid) ?? [];
    if (listed.some(({ etag }, index) => etag !== etagOf(sent[index] ?? Buffer.alloc(0))))
      return refuse(response, 400, "Parts don't match");
    return keep(writes, oid, Buffer.concat(sent), response);
  }
  writes.uploads.push(part === undefined ? oid : `${oid}/${part}`);
  if (part === undefined) return keep(writes, oid, body, response);
  const sent = parts.get(oid) ?? [];
  sent[Number(part) - 1] = body;
  parts.set(oid, sent);
  return response.writeHead(200, { ETag: etagOf(body) }).end();
}

function etagOf(content: Buffer): string {
  return `"${createHash("md5").update(content).digest("hex")}"`;
}

function keep({ blobs }: HubWrites, oid: string, content: Buffer, response: ServerResponse): ServerResponse {
  if (sha256(content) !== oid) return refuse(response, 400, "The content is not what its oid says");
  blobs.set(oid, content);
  return json(response, {});
}

interface Line {
  readonly key: string;
  readonly value: Readonly<Record<string, string>>;
}

function commit(
  { blobs, commits }: HubWrites,
  repository: HubServed,
  url: string,
  body: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): ServerResponse {
  if (request.headers["content-type"] !== "application/x-ndjson")
    return refuse(response, 400, "Not lines of JSON");
  const lines = body
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
  const [header, ...entries] = lines;
  if (header?.key !== "header" || !header.value.summary)
    return refuse(response, 400, "The header is missing");
  const files = new Map(repository.files);
  for (const { key, value } of entries) {
    const { path = "", content = "", encoding, algo, oid = "" } = value;
    const blob = key === "lfsFile" && algo === "sha256" ? blobs.get(oid) : undefined;
    if (key === "file" && encoding === "base64" && !isLarge(path))
      files.set(path, Buffer.from(content, "base64"));
    else if (blob !== undefined) files.set(path, blob);
    else if (key === "deletedFile" && files.has(path)) files.delete(path);
    else return refuse(response, 400, `${path} can't be committed`);
  }
  commits.push({ summary: header.value.summary, paths: entries.map(({ value }) => value.path!) });
  repository.files = files;
  repository.commit = createHash("sha1").update(body).digest("hex");
  return json(response, {
    success: true,
    commitOid: repository.commit,
    commitUrl: `${url}/commit/${repository.commit}`,
    hookOutput: "",
  });
}
