// Hugging Face's cache layout: blobs by their hash, snapshots of links to them, refs from branches to commits.
// A blob appears whole or not at all; what a broken-off download left is gone on with.
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, copyFile, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { isTagRunning, processTag } from "@promptloss/torch/files";
import { makeFolder, replaceFile } from "../files/atomic.ts";

export type HubKind = "dataset" | "model";

/** A file of a repository as the hub lists it. */
export interface HubFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** The blob's name: SHA-256 of a large file's content, git's hash of a small one's. */
  readonly etag: string;
  readonly isSha256: boolean;
}

export class HubCache {
  readonly folder: string;

  constructor(cacheDir: string, kind: HubKind, id: string) {
    this.folder = join(cacheDir, [`${kind}s`, ...id.split("/")].join("--"));
  }

  snapshot(commit: string, path = ""): string {
    return join(this.folder, "snapshots", commit, path);
  }

  async has(commit: string, path = ""): Promise<boolean> {
    return exists(this.snapshot(commit, path));
  }

  /** The commit that a branch or tag had when the hub was last asked. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (/^[0-9a-f]{40}$/.test(revision)) return revision;
    const text = await readFile(join(this.folder, "refs", revision), "utf8").catch(() => undefined);
    return text?.trim();
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision !== commit) replaceFile(join(this.folder, "refs", revision), commit);
  }

  /** The hub's listing of a commit, kept so that without the hub it is known what is missing. */
  async readListing(commit: string): Promise<HubFile[] | undefined> {
    const text = await readFile(this.#listing(commit), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as HubFile[]);
  }

  async writeListing(commit: string, files: readonly HubFile[]): Promise<void> {
    replaceFile(this.#listing(commit), JSON.stringify(files));
  }

  #listing(commit: string): string {
    return join(this.folder, "promptloss", `${commit}.json`);
  }

  /** Puts a file into the cache. `open` gives its bytes from an offset on. @throws {HubError} where they aren't the file's */
  async store(
    commit: string,
    file: HubFile,
    open: (offset: number) => Promise<ReadableStream<Uint8Array>>,
    onBytes: (loaded: number) => void,
  ): Promise<void> {
    const blob = join(this.folder, "blobs", file.etag);
    if (!(await exists(blob))) {
      makeFolder(dirname(blob));
      const part = `${blob}.${processTag()}.incomplete`;
      try {
        await this.#download(part, await this.#takeLeftover(blob, part), file, open, onBytes);
        await checkContent(part, file);
        await rename(part, blob);
      } catch (error) {
        // Without this process's number, the next attempt may take it.
        if (await exists(part)) await rename(part, `${blob}.incomplete`);
        throw error;
      }
    }
    await link(blob, this.snapshot(commit, file.path));
  }

  /** Takes over what an attempt that no longer runs has left; its length. */
  async #takeLeftover(blob: string, part: string): Promise<number> {
    const names = await readdir(dirname(blob));
    const start = `${relative(dirname(blob), blob)}.`;
    for (const name of names) {
      if (!name.startsWith(start) || !name.endsWith("incomplete")) continue;
      // Without a process's tag, an attempt that failed has given it up.
      const tag = /^(.+)\.incomplete$/.exec(name.slice(start.length))?.[1];
      if (tag !== undefined && (await isDownloading(tag, join(dirname(blob), name)))) continue;
      const taken = await rename(join(dirname(blob), name), part).then(
        () => true,
        () => false,
      );
      if (taken) return (await stat(part)).size;
    }
    return 0;
  }

  async #download(
    part: string,
    offset: number,
    { size }: HubFile,
    open: (offset: number) => Promise<ReadableStream<Uint8Array>>,
    onBytes: (loaded: number) => void,
  ): Promise<void> {
    let loaded = offset;
    onBytes(loaded);
    if (loaded >= size && size > 0) return;
    const count = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        loaded += chunk.length;
        onBytes(loaded);
        yield chunk;
      }
    };
    const flags = offset > 0 ? "a" : "w";
    await pipeline(Readable.fromWeb(await open(offset)), count, createWriteStream(part, { flags }));
  }
}

/** What the hub tells a file's content by, to be fed with its bytes: SHA-256 for large files, else git's own hash. */
export function contentHash(isSha256: boolean, bytes: number): Hash {
  return isSha256 ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
}

/** Deletes and refuses a download that isn't what the hub lists. */
async function checkContent(path: string, { size, etag, isSha256 }: HubFile): Promise<void> {
  const found = (await stat(path)).size;
  if (found < size) throw new Error(`the download ended after ${found} of ${size} bytes`);
  const hash = contentHash(isSha256, found);
  await pipeline(createReadStream(path), hash);
  if (found === size && hash.digest("hex") === etag) return;
  await rm(path, { force: true });
  throw new Error("the downloaded bytes are not those that the hub lists");
}

async function link(blob: string, pointer: string): Promise<void> {
  makeFolder(dirname(pointer));
  try {
    await symlink(relative(dirname(pointer), blob), pointer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    // Windows without the right to make links.
    await copyFile(blob, pointer);
  }
}

/** Seconds without a byte after which another machine's download counts as given up. */
const SILENT_SECONDS = 3600;

async function isDownloading(tag: string, part: string): Promise<boolean> {
  const running = isTagRunning(tag);
  if (running !== undefined) return running;
  const written = await stat(part).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return (Date.now() - written) / 1000 < SILENT_SECONDS;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
