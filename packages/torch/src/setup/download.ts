// Downloads a file of known SHA-256. What a broken download has brought stays in its file, and the next call goes on from
// there.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, rmSync, statSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SetupError } from "./errors.ts";

export interface DownloadOptions {
  readonly sha256: string;
  /** Milliseconds without an answer or without a byte after which the connection is given up. */
  readonly patience?: number;
  /** Called once it is known how much comes. @param size in bytes; undefined where the server does not say */
  readonly onStart?: (size: number | undefined, have: number) => void;
  readonly onProgress?: (have: number, size: number | undefined) => void;
}

/** Connections that break are taken up again this many times in a row without a byte in between. */
const TRIES = 3;

/**
 * Brings `file` to hold what `url` serves.
 *
 * @throws {SetupError} where the server refuses, the connection breaks, or the content is another than `sha256` says; then
 *   the file is removed.
 */
export async function download(url: URL, file: string, options: DownloadOptions): Promise<void> {
  let announced = false;
  for (let failures = 0; ; ) {
    const before = sizeOf(file);
    try {
      await receive(url, file, before, {
        ...options,
        onStart: (size, have) => {
          if (!announced) options.onStart?.(size, have);
          announced = true;
        },
      });
      break;
    } catch (error) {
      if (error instanceof SetupError) throw error;
      failures = sizeOf(file) > before ? 1 : failures + 1;
      // A server that never answered has nothing to resume.
      if (failures >= TRIES || !announced)
        throw new SetupError(`${url} did not come: ${reasonOf(error)}`, { cause: error });
    }
  }
  await checkHash(file, options.sha256, url);
}

/** @throws {SetupError} where the file's content is another; it is removed unless it was never downloaded. */
export async function checkHash(file: string, sha256: string, url: URL): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  const found = hash.digest("hex");
  if (found === sha256) return;
  if (url.protocol !== "file:") rmSync(file, { force: true });
  throw new SetupError(`${url} has SHA-256 ${found}, not ${sha256}`, {
    hint: "it is another file, or was changed on the way; PROMPTLOSS_LIBTORCH_URL names another place to fetch from",
  });
}

async function receive(url: URL, file: string, have: number, options: DownloadOptions): Promise<void> {
  const { patience = 15_000, onStart, onProgress } = options;
  const watchdog = new AbortController();
  const timer = setTimeout(() => watchdog.abort(new Error(`no byte within ${patience / 1000} s`)), patience);
  try {
    const headers = { "accept-encoding": "identity", ...(have > 0 && { range: `bytes=${have}-` }) };
    const response = await fetch(url, { headers, signal: watchdog.signal });
    // There is nothing behind what we have: its hash says whether it is all.
    if (response.status === 416) return;
    const isRest =
      response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${have}-`);
    if (!response.ok || response.body === null || (response.status === 206 && !isRest)) {
      throw new SetupError(`${url} answers ${response.status} ${response.statusText}`.trimEnd());
    }
    const start = isRest ? have : 0;
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const size = Number.isFinite(length) ? start + length : undefined;
    let received = start;
    onStart?.(size, start);
    const counting = new Transform({
      transform(chunk: Buffer, _, done) {
        timer.refresh();
        received += chunk.length;
        onProgress?.(received, size);
        done(null, chunk);
      },
    });
    const body = Readable.fromWeb(response.body as import("node:stream/web").ReadableStream);
    const output = createWriteStream(file, { flags: isRest ? "a" : "w" });
    // A broken pipeline is told of before the last piece is written: who asks for the file's size must wait for it.
    const closed = new Promise<void>((resolve) => output.once("close", () => resolve()));
    await pipeline(body, counting, output).finally(() => closed);
    if (size !== undefined && received < size)
      throw new Error(`the connection ended after ${received} of ${size} bytes`);
  } finally {
    clearTimeout(timer);
  }
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

// fetch says "fetch failed"; why is in its cause.
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message || String(cause) : message;
}
