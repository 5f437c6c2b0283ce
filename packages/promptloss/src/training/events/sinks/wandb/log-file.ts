// The file that a run of Weights & Biases is kept in: records in LevelDB's log format (doc/log_format.md of LevelDB), with
// another checksum, CRC-32, behind seven bytes that say what it is.
import { crc32 } from "../crc.ts";

/** ":W&B", a magic number and the version 0. */
export const LOG_HEADER = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0]);

const BLOCK = 32_768;

/** Of a piece: its checksum, length and kind. */
const FRAME = 7;

const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;

/** A record's bytes in the file. @param at where in the file they go */
export function framedRecord(record: Buffer, at: number): Buffer {
  const parts: Buffer[] = [];
  let place = at;
  let from = 0;
  for (let begun = false; ; ) {
    const left = BLOCK - (place % BLOCK);
    if (left < FRAME) {
      parts.push(Buffer.alloc(left));
      place += left;
      continue;
    }
    const length = Math.min(record.length - from, left - FRAME);
    const ends = from + length === record.length;
    const kind = begun ? (ends ? LAST : MIDDLE) : ends ? FULL : FIRST;
    const data = Buffer.concat([Buffer.of(kind), record.subarray(from, from + length)]);
    const head = Buffer.alloc(FRAME - 1);
    head.writeUInt32LE(crc32(data));
    head.writeUInt16LE(length, 4);
    parts.push(head, data);
    place += FRAME + length;
    from += length;
    begun = true;
    if (ends) return Buffer.concat(parts);
  }
}

/** The records of a file, up to the first that is damaged or was not written whole. */
export function recordsOf(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  if (!file.subarray(0, LOG_HEADER.length).equals(LOG_HEADER)) return records;
  let pieces: Buffer[] = [];
  let at = LOG_HEADER.length;
  while (at + FRAME <= file.length) {
    const left = BLOCK - (at % BLOCK);
    if (left < FRAME) {
      at += left;
      continue;
    }
    const length = file.readUInt16LE(at + 4);
    const kind = file[at + 6]!;
    const end = at + FRAME + length;
    if (length > left - FRAME || end > file.length) break;
    if (file.readUInt32LE(at) !== crc32(file.subarray(at + 6, end))) break;
    const begins = kind === FULL || kind === FIRST;
    if (begins ? pieces.length > 0 : pieces.length === 0 || (kind !== MIDDLE && kind !== LAST)) break;
    pieces.push(file.subarray(at + FRAME, end));
    if (kind === FULL || kind === LAST) {
      records.push(Buffer.concat(pieces));
      pieces = [];
    }
    at = end;
  }
  return records;
}
