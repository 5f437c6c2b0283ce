// Reads a token cache: checks it as a whole once, then gives rows by index with one read each. A cache that
// cannot be used is built again.
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { RowSource } from "../example.ts";
import type { ClassifiedRows, ClassifiedTokens, TokenizationReport } from "../tokens/index.ts";
import { type CacheFault, TokenCacheError } from "./errors.ts";
import {
  type CacheHeader,
  type CacheIndex,
  CHECKSUM_AT,
  HEADER_BYTES,
  indexBytes,
  indexViews,
  readHeader,
  rowBytes,
  rowViews,
} from "./format.ts";
import { changedParts, type TokenCacheKey } from "./key.ts";
import { type CacheMeta, writeTokenCache } from "./writer.ts";

const CHUNK_BYTES = 1 << 20;

/** Reads exactly `length` bytes into a buffer of their own; undefined where the file ends before. */
function readExactly(file: number, position: number, length: number): ArrayBuffer | undefined {
  const buffer = new ArrayBuffer(length);
  const bytes = new Uint8Array(buffer);
  let filled = 0;
  while (filled < length) {
    const count = readSync(file, bytes, filled, length - filled, position + filled);
    if (count === 0) return undefined;
    filled += count;
  }
  return buffer;
}

function checksumOf(file: number, header: Buffer, size: number): Buffer {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = HEADER_BYTES;
  while (position < size) {
    const count = readSync(file, chunk, 0, Math.min(CHUNK_BYTES, size - position), position);
    if (count === 0) break;
    hash.update(chunk.subarray(0, count));
    position += count;
  }
  return hash.update(header.subarray(0, CHECKSUM_AT)).digest();
}

/** Rows of a cache file. Close it when done. */
export class TokenCache implements ClassifiedRows {
  readonly path: string;
  /** What tokenizing found when the cache was built. */
  readonly report: TokenizationReport;
  readonly key: TokenCacheKey;
  readonly #files: readonly string[];
  readonly #groups: readonly string[];
  readonly #index: CacheIndex;
  #file: number | undefined;

  private constructor(path: string, file: number, meta: CacheMeta, index: CacheIndex) {
    this.path = path;
    this.report = meta.report;
    this.key = meta.key;
    this.#files = meta.files;
    this.#groups = meta.groups;
    this.#index = index;
    this.#file = file;
  }

  /**
   * Opens a cache and checks all of it.
   * @throws {TokenCacheError} with the fault that makes it unusable
   */
  static open(path: string): TokenCache {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch (cause) {
      const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
      if (!missing) throw cause;
      throw new TokenCacheError(path, "missing", "no such file", { cause });
    }
    try {
      const header = readWhole(path, file);
      const index = readExactly(file, header.indexOffset, indexBytes(header.rows))!;
      const meta = readExactly(file, header.metaOffset, header.fileSize - header.metaOffset)!;
      const parsed = JSON.parse(Buffer.from(meta).toString("utf8")) as CacheMeta;
      return new TokenCache(path, file, parsed, indexViews(index, header.rows));
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  get length(): number {
    return this.#index.lengths.length;
  }

  /** The length in tokens of each row, before any cutting. */
  get lengths(): Int32Array {
    return this.#index.lengths;
  }

  /** Reads a row; its arrays are views of one buffer that belongs to it. Undefined beyond the last row. */
  at(index: number): ClassifiedTokens | undefined {
    const { offsets, rowWeights, lengths, flags } = this.#index;
    const length = lengths[index];
    if (length === undefined) return undefined;
    if (this.#file === undefined) throw new TokenCacheError(this.path, "missing", "has been closed");
    const buffer = readExactly(this.#file, offsets[index]!, rowBytes(length, flags[index]!));
    if (buffer === undefined)
      throw new TokenCacheError(this.path, "truncated", "was cut short while it was in use");
    const views = rowViews(buffer, length, flags[index]!);
    return { ...views, rowWeight: rowWeights[index]!, source: this.#sourceOf(index) };
  }

  #sourceOf(index: number): RowSource {
    const { files, rowNumbers, groups } = this.#index;
    const group = this.#groups[groups[index]!];
    const place = { file: this.#files[files[index]!]!, row: rowNumbers[index]! };
    return group === undefined ? place : { ...place, group };
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Reads the header and checks size and checksum of the file. */
function readWhole(path: string, file: number): CacheHeader {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const header = readHeader(bytes.subarray(0, readSync(file, bytes, 0, HEADER_BYTES, 0)));
  if ("fault" in header) throw new TokenCacheError(path, header.fault, header.message);
  const { size } = fstatSync(file);
  if (size !== header.fileSize) {
    throw new TokenCacheError(path, "truncated", `has ${size} bytes, should have ${header.fileSize}`);
  }
  if (!checksumOf(file, bytes, size).equals(header.checksum)) {
    throw new TokenCacheError(path, "damaged", "its checksum does not match");
  }
  return header;
}

/** How to make the rows when there is no cache that can be used. */
export interface TokenCacheSource {
  readonly rows: AsyncIterable<ClassifiedTokens> | Iterable<ClassifiedTokens>;
  /** Asked when the last row has been read. */
  readonly report: () => TokenizationReport;
}

export interface TokenCacheOptions {
  /** Called with why a cache is built again, in a line without paths; not called when there was none. */
  readonly onRebuild?: (line: string, fault: CacheFault) => void;
}

function openFresh(path: string, key: TokenCacheKey): TokenCache {
  const cache = TokenCache.open(path);
  const changed = changedParts(cache.key, key);
  if (changed.length === 0) return cache;
  cache.close();
  throw new TokenCacheError(path, "stale", `is stale: changed since are ${changed.join(", ")}`);
}

/**
 * Opens the cache at `path` or, where it is missing, foreign, damaged or made from something else, builds it.
 * Processes that build at once each write a file of their own; whoever is last puts his in place.
 * @throws {Error} what making the rows throws
 */
export async function openTokenCache(
  path: string,
  key: TokenCacheKey,
  make: () => TokenCacheSource,
  options: TokenCacheOptions = {},
): Promise<TokenCache> {
  try {
    return openFresh(path, key);
  } catch (error) {
    if (!(error instanceof TokenCacheError)) throw error;
    if (error.fault !== "missing")
      options.onRebuild?.(`the token cache ${error.reason}; tokenizing again`, error.fault);
  }
  const { rows, report } = make();
  await writeTokenCache(path, key, rows, report);
  return openFresh(path, key);
}
