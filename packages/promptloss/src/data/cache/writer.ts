// Writes a token cache row by row beside its place and moves it there when it is whole, so that a reader sees
// the old file or the new one and never a part. Two writers each have a file of their own; the last one stays.
import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder, removeDrafts, replaceFileWith } from "../../files/atomic.ts";
import type { ClassifiedTokens, TokenizationReport } from "../tokens/index.ts";
import {
  type CacheIndex,
  CHECKSUM_AT,
  HAS_PART_WEIGHTS,
  HAS_SCALES,
  HEADER_BYTES,
  indexBytes,
  indexViews,
  NO_GROUP,
  rowBytes,
  rowViews,
  writeHeader,
} from "./format.ts";
import type { TokenCacheKey } from "./key.ts";

export interface CacheMeta {
  readonly key: TokenCacheKey;
  /** File names, by the number in the index. */
  readonly files: readonly string[];
  /** Groups of rows, by the number in the index. */
  readonly groups: readonly string[];
  readonly report: TokenizationReport;
}

const FLUSH_BYTES = 1 << 20;

/** The name's number, which is its place among the names met so far. */
function numberOf(numbers: Map<string, number>, name: string): number {
  const number = numbers.get(name) ?? numbers.size;
  numbers.set(name, number);
  return number;
}

/** Collects the rows' bytes, their checksum and the columns of the index. */
class CacheWriter {
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  position = HEADER_BYTES;
  readonly #rows = {
    offsets: [],
    rowWeights: [],
    lengths: [],
    files: [],
    rowNumbers: [],
    groups: [],
    flags: [],
  } as Record<keyof CacheIndex, number[]>;
  readonly #fileNumbers = new Map<string, number>();
  readonly #groupNumbers = new Map<string, number>();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async addRow({ ids, classes, partWeights, scales, rowWeight, source }: ClassifiedTokens): Promise<void> {
    const flags =
      (partWeights === undefined ? 0 : HAS_PART_WEIGHTS) | (scales === undefined ? 0 : HAS_SCALES);
    const buffer = new ArrayBuffer(rowBytes(ids.length, flags));
    const views = rowViews(buffer, ids.length, flags);
    views.ids.set(ids);
    views.classes.set(classes);
    if (partWeights !== undefined) views.partWeights!.set(partWeights);
    if (scales !== undefined) views.scales!.set(scales);
    this.#rows.offsets.push(this.position);
    this.#rows.rowWeights.push(rowWeight);
    this.#rows.lengths.push(ids.length);
    this.#rows.files.push(numberOf(this.#fileNumbers, source.file));
    this.#rows.rowNumbers.push(source.row);
    this.#rows.groups.push(
      source.group === undefined ? NO_GROUP : numberOf(this.#groupNumbers, source.group),
    );
    this.#rows.flags.push(flags);
    await this.#append(Buffer.from(buffer));
  }

  async finish(meta: Omit<CacheMeta, "files" | "groups">): Promise<void> {
    const rows = this.#rows.offsets.length;
    const indexOffset = this.position;
    const index = new ArrayBuffer(indexBytes(rows));
    const views = indexViews(index, rows);
    for (const name of Object.keys(this.#rows) as (keyof typeof views)[]) views[name].set(this.#rows[name]);
    await this.#append(Buffer.from(index));
    const metaOffset = this.position;
    const names = { files: [...this.#fileNumbers.keys()], groups: [...this.#groupNumbers.keys()] };
    const whole: CacheMeta = { ...meta, ...names };
    await this.#append(Buffer.from(JSON.stringify(whole)));
    await this.#flush();
    const header = writeHeader({ rows, indexOffset, metaOffset, fileSize: this.position });
    this.#hash.update(header.subarray(0, CHECKSUM_AT)).digest().copy(header, CHECKSUM_AT);
    await this.#file.write(header, 0, HEADER_BYTES, 0);
  }

  async #append(bytes: Buffer): Promise<void> {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.position += bytes.length;
    if (this.#pendingBytes >= FLUSH_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#hash.update(bytes);
    let written = 0;
    const start = this.position - bytes.length;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        written,
        bytes.length - written,
        start + written,
      );
      written += bytesWritten;
    }
  }
}

/**
 * Writes rows to a cache file. What fails while rows are made or written is thrown on, and leaves the file that
 * was there as it was.
 * @param report asked when the last row has been written
 */
export async function writeTokenCache(
  path: string,
  key: TokenCacheKey,
  rows: AsyncIterable<ClassifiedTokens> | Iterable<ClassifiedTokens>,
  report: () => TokenizationReport,
): Promise<void> {
  makeFolder(dirname(path));
  removeDrafts(dirname(path));
  await replaceFileWith(path, async (draft) => {
    const file = await open(draft, "wx");
    try {
      const writer = new CacheWriter(file);
      for await (const row of rows) await writer.addRow(row);
      await writer.finish({ key, report: report() });
      await file.sync();
    } finally {
      await file.close();
    }
  });
}
