// Plans batches of padded rows: by length, so that little is padded, or at random; cut by a number of rows or
// by a budget of padded tokens.
import { PackingError } from "./errors.ts";
import { checkLengths, seededDraw, shuffle, sortedByLength } from "./random.ts";

export interface BatchPlan {
  /** Row indices of each batch. */
  readonly batches: readonly Int32Array[];
  /** The share of padded tokens, 0 to 1. */
  readonly padding: number;
}

/** Exactly one of `rows` and `tokens` says where a batch ends. */
export interface BatchOptions {
  /** Rows in a batch. */
  readonly rows?: number;
  /** Tokens in a batch, padding included. */
  readonly tokens?: number;
  readonly order: "length" | "random";
  /** Decides on the order. Give each epoch its own. */
  readonly seed: number;
}

/**
 * Plans batches. Every row is in exactly one; batches of sorted rows come in random order.
 * @param lengths tokens of each row
 * @throws PackingError for options that make no sense or a row that is longer than the token budget
 */
export const planBatches = (lengths: ArrayLike<number>, options: BatchOptions): BatchPlan => {
  const { rows: mostRows, tokens: mostTokens, order, seed } = options;
  if ((mostRows === undefined) === (mostTokens === undefined)) {
    throw new PackingError("batch", "needs either rows or tokens, and not both");
  }
  if (mostRows !== undefined && (!Number.isInteger(mostRows) || mostRows < 1)) {
    throw new PackingError("rows", `${mostRows} is not a whole number of 1 or more`);
  }
  checkLengths(lengths, "tokens", mostTokens ?? Number.MAX_SAFE_INTEGER);
  const draw = seededDraw(seed);
  const sorted = order === "length";
  const sequence = sorted
    ? sortedByLength(lengths, "up", draw)
    : shuffle(
        Int32Array.from({ length: lengths.length }, (_, index) => index),
        draw,
      );
  const batches: number[][] = [];
  let batch: number[] = [];
  let longest = 0;
  for (const row of sequence) {
    const wouldBe = Math.max(longest, lengths[row]!) * (batch.length + 1);
    const full = mostRows === undefined ? wouldBe > mostTokens! : batch.length === mostRows;
    if (full) {
      batches.push(batch);
      batch = [];
      longest = 0;
    }
    batch.push(row);
    longest = Math.max(longest, lengths[row]!);
  }
  if (batch.length > 0) batches.push(batch);
  if (sorted) shuffle(batches, draw);
  return { batches: batches.map((rows) => Int32Array.from(rows)), padding: paddedShare(lengths, batches) };
};

const paddedShare = (lengths: ArrayLike<number>, batches: readonly number[][]): number => {
  let tokens = 0;
  let room = 0;
  for (const batch of batches) {
    let longest = 0;
    for (const row of batch) {
      tokens += lengths[row]!;
      longest = Math.max(longest, lengths[row]!);
    }
    room += longest * batch.length;
  }
  return room === 0 ? 0 : 1 - tokens / room;
};
