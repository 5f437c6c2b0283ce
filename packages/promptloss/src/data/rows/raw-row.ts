// What a container gives: rows as plain records, or the reason why one can't be read, in batches so that a
// million rows don't cost a million turns of the event loop in every layer.
import type { RowProblem } from "./data-error.ts";

export type RawRow =
  | { readonly row: number; readonly value: Readonly<Record<string, unknown>>; readonly problem?: undefined }
  | { readonly row: number; readonly value?: undefined; readonly problem: RowProblem };

export type RowBatches = AsyncIterable<readonly RawRow[]>;

/** Rows in one batch, unless the file ends. */
export const BATCH_ROWS = 256;

/** Counters that a reader keeps while it runs. */
export interface ReadCounters {
  /** Empty lines, which are not rows. */
  blankLines: number;
}

export interface ReadLimits {
  /** The most bytes that one row may take. */
  readonly maxRowBytes: number;
  /** Bytes asked of the disk at a time. */
  readonly chunkBytes: number;
  /** The most bytes that a page of a Parquet file may say it holds, unpacked: pages are decoded whole. */
  readonly maxPageBytes: number;
  /** The most bytes that a gzipped Parquet file may unpack to, on the disk. */
  readonly maxUnpackedBytes: number;
}

export const DEFAULT_LIMITS: ReadLimits = {
  maxRowBytes: 64 * 2 ** 20,
  chunkBytes: 2 ** 18,
  maxPageBytes: 512 * 2 ** 20,
  maxUnpackedBytes: 16 * 2 ** 30,
};

/** A text cell whose bytes are not UTF-8; stands where the string would. */
export class BrokenText {
  readonly offset: number;

  constructor(offset: number) {
    this.offset = offset;
  }
}
