// Lines of a byte stream, whatever the chunks: LF or CRLF, or CR alone, with or without an end on the last one.
// A line longer than the limit is passed over without being kept.

export interface Line {
  /** Counted from 1. */
  readonly number: number;
  /** Without its line end. Undefined where the line is longer than the limit. */
  readonly bytes: Buffer | undefined;
  /** Offset of its first byte, and its length. */
  readonly start: number;
  readonly length: number;
  /** Whether a line end followed. */
  readonly ended: boolean;
}

export const LF = 10;
export const CR = 13;

/** Yields the lines that each chunk completes. */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
  lineEnd = LF,
): AsyncGenerator<readonly Line[], void> {
  let pending: Buffer[] = [];
  let pendingLength = 0;
  let number = 0;
  let start = 0;

  const take = (last: Buffer, ended: boolean): Line => {
    number++;
    const length = pendingLength + last.length;
    const whole = pending.length === 0 ? last : Buffer.concat([...pending, last]);
    const kept = length > maxBytes ? undefined : ended && whole.at(-1) === CR ? whole.subarray(0, -1) : whole;
    const line: Line = { number, bytes: kept, start, length, ended };
    start += length + (ended ? 1 : 0);
    pending = [];
    pendingLength = 0;
    return line;
  };

  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, from)) {
      lines.push(take(chunk.subarray(from, end), true));
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    pendingLength += rest.length;
    if (pendingLength > maxBytes) pending = [];
    else if (rest.length > 0) pending.push(rest);
    if (lines.length > 0) yield lines;
  }
  if (pendingLength > 0) yield [take(Buffer.alloc(0), false)];
}

/** Whether a line has nothing but white space. */
export function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9 && byte !== CR) return false;
  return true;
}
