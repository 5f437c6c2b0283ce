// Plain text files: a row is a line, a paragraph (lines up to a blank one) or the whole document. Blank lines
// between are counted, not rows. A row's number is the number of its first line.
import { RowProblem } from "../data-error.ts";
import type { RawRow, ReadCounters, ReadLimits, RowBatches } from "../raw-row.ts";
import { isBlank, readLines } from "./lines.ts";
import { rowTooLarge } from "./row-size.ts";
import { decodeRow } from "./utf8.ts";

export type SampleBy = "line" | "paragraph" | "document";

/** Rows have one field, `text`. */
export async function* readPlainText(
  chunks: AsyncIterable<Buffer>,
  sampleBy: SampleBy,
  limits: ReadLimits,
  counters: ReadCounters,
  lineEnd?: number,
): RowBatches {
  if (sampleBy === "document") {
    yield* readDocument(chunks, limits);
    return;
  }
  let paragraph = new Paragraph();
  for await (const lines of readLines(chunks, limits.maxRowBytes, lineEnd)) {
    const rows: RawRow[] = [];
    for (const { number, bytes, start, length } of lines) {
      if (bytes !== undefined && isBlank(bytes)) {
        counters.blankLines++;
        if (!paragraph.isEmpty) rows.push(paragraph.row(limits.maxRowBytes));
        if (!paragraph.isEmpty) paragraph = new Paragraph();
        continue;
      }
      paragraph.add(number, bytes, start, length, limits.maxRowBytes);
      if (sampleBy === "line") {
        rows.push(paragraph.row(limits.maxRowBytes));
        paragraph = new Paragraph();
      }
    }
    if (rows.length > 0) yield rows;
  }
  if (!paragraph.isEmpty) yield [paragraph.row(limits.maxRowBytes)];
}

/** Lines of one row. */
class Paragraph {
  #lines: Buffer[] = [];
  #number = 0;
  #start = 0;
  #length = 0;

  get isEmpty(): boolean {
    return this.#number === 0;
  }

  add(number: number, bytes: Buffer | undefined, start: number, length: number, maxBytes: number): void {
    if (this.isEmpty) [this.#number, this.#start] = [number, start];
    this.#length = start + length - this.#start;
    if (bytes === undefined || this.#length > maxBytes) this.#lines = [];
    else this.#lines.push(bytes);
  }

  row(maxBytes: number): RawRow {
    return this.#length > maxBytes
      ? { row: this.#number, problem: rowTooLarge(this.#length, maxBytes) }
      : textRow(this.#number, joinLines(this.#lines), this.#start);
  }
}

function joinLines(lines: readonly Buffer[]): Buffer {
  return lines.length === 1
    ? lines[0]!
    : Buffer.concat(lines.flatMap((line, i) => (i === 0 ? [line] : [LF, line])));
}

const LF = Buffer.from("\n");

async function* readDocument(chunks: AsyncIterable<Buffer>, { maxRowBytes }: ReadLimits): RowBatches {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxRowBytes) parts = [];
    else parts.push(chunk);
  }
  if (length > maxRowBytes) yield [{ row: 1, problem: rowTooLarge(length, maxRowBytes) }];
  else if (length > 0) yield [textRow(1, Buffer.concat(parts), 0)];
}

function textRow(row: number, bytes: Buffer, start: number): RawRow {
  try {
    return { row, value: { text: decodeRow(bytes, start) } };
  } catch (error) {
    if (error instanceof RowProblem) return { row, problem: error };
    throw error;
  }
}
