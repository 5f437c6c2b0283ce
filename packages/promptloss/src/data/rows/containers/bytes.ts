// A file as a stream of bytes: opened with errors that help, gunzipped where it is gzip, without a BOM.
import { createReadStream } from "node:fs";
import { open, readdir, readlink, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createGunzip } from "node:zlib";
import { whyNot } from "@promptloss/torch/files";
import { DataError, messageOf } from "../data-error.ts";
import { nearestName } from "../nearest-name.ts";

/** A file on disk, and the name under which the user knows it. */
export interface DataFile {
  readonly path: string;
  readonly name: string;
}

/** @throws {DataError} unless the path is a file that can be opened and isn't empty */
export async function checkFile({ path, name }: DataFile): Promise<void> {
  const stats = await stat(path).catch(async (cause: NodeJS.ErrnoException) => {
    throw cause.code === "ENOENT" || cause.code === "ENOTDIR"
      ? await missingFile(path, name, cause)
      : new DataError("unreadable", whyNot(cause), { file: name, cause });
  });
  if (stats.isDirectory()) {
    throw new DataError("directory", "a folder where a file was expected", { file: name });
  }
  // A pipe has no size; what comes out of it can't be read twice, and finding the format reads twice.
  if (!stats.isFile()) {
    throw new DataError("unreadable", "not a regular file", {
      file: name,
      hint: "Write what the pipe or device gives to a file first.",
    });
  }
  if (stats.size === 0) {
    throw new DataError("empty-file", "the file is empty", {
      file: name,
      hint: "Was it downloaded whole?",
    });
  }
}

async function missingFile(path: string, name: string, cause: Error): Promise<DataError> {
  const target = await readlink(path).catch(() => undefined);
  return target === undefined
    ? new DataError("missing-file", "no such file", { file: name, hint: await missingHint(path), cause })
    : new DataError("missing-file", `a link to ${target}, which isn't there`, { file: name, cause });
}

async function missingHint(path: string): Promise<string> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return `The folder ${folder} doesn't exist either.`;
  const nearest = nearestName(basename(path), names);
  return nearest === undefined
    ? `The folder ${folder} has ${names.length} other entries.`
    : `Did you mean ${join(folder, nearest)}?`;
}

/** The first bytes of the file as it is on disk. */
export async function readHead({ path, name }: DataFile, length: number): Promise<Buffer> {
  const handle = await open(path, "r").catch((cause: Error) => {
    throw new DataError("unreadable", whyNot(cause), { file: name, cause });
  });
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The last bytes of the file as it is on disk. */
export async function readTail({ path }: DataFile, length: number): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(length, size));
    await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer;
  } finally {
    await handle.close();
  }
}

export interface ByteOptions {
  gzip: boolean;
  chunkBytes: number;
  /** Called with how many more bytes of the file were read, as they are on the disk. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** The file's bytes, decompressed, in order. Errors of the disk and of gzip come out as DataErrors. */
export async function* readBytes(
  file: DataFile,
  { gzip, chunkBytes, onBytes }: ByteOptions,
): AsyncGenerator<Buffer, void> {
  const disk = createReadStream(file.path, { highWaterMark: chunkBytes });
  const gunzip = gzip ? createGunzip({ chunkSize: Math.max(chunkBytes, 64) }) : undefined;
  if (gunzip !== undefined) {
    disk.once("error", (error) => gunzip.destroy(error));
    disk.pipe(gunzip);
  }
  const stream = gunzip ?? disk;
  let offset = 0;
  let told = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      offset += chunk.length;
      onBytes?.(disk.bytesRead - told);
      told = disk.bytesRead;
      yield chunk;
    }
  } catch (error) {
    throw byteError(error, file, offset);
  } finally {
    disk.destroy();
    stream.destroy();
  }
}

function byteError(error: unknown, { name }: DataFile, offset: number): DataError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (code === "Z_BUF_ERROR") {
    return new DataError("truncated", `the gzip stream ends early, after ${offset} bytes of text`, {
      file: name,
      hint: "The file is cut off: fetch it again.",
      cause: error,
    });
  }
  if (code.startsWith("Z_")) {
    return new DataError("invalid-gzip", `broken gzip after ${offset} bytes of text: ${messageOf(error)}`, {
      file: name,
      hint: "Check the file with gzip -t, and fetch it again.",
      cause: error,
    });
  }
  return new DataError("unreadable", `reading failed: ${messageOf(error)}`, { file: name, cause: error });
}

/** Bytes of UTF-8's byte order mark. */
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Takes a BOM off the front of the bytes. `start`, the offset of the first byte given, is then 3. */
export async function* withoutBom(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < BOM.length) continue;
    yield hasBom(head) ? head.subarray(BOM.length) : head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield head;
}

export function hasBom(bytes: Buffer): boolean {
  return bytes.subarray(0, BOM.length).equals(BOM);
}
