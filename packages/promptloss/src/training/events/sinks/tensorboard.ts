// TensorBoard's event files: records of tensorflow.Event, framed as TFRecord. Scalars only.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, truncateSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeFolder } from "../../../files/atomic.ts";
import type { EvaluationEvent, StepEvent } from "../event.ts";
import { scalarsOf } from "../scalars.ts";
import { maskedCrc32c } from "./crc.ts";
import { BYTES, double, FIXED32, FIXED64, field, float, VARINT, varint } from "./protobuf.ts";
import type { Sink } from "./sink.ts";

/** tensorflow.Event { wall_time = 1, step = 2, and one of file_version = 3, summary = 5 }. */
function eventBytes(step: number, content: Buffer): Buffer {
  return Buffer.concat([
    field(1, FIXED64, double(Date.now() / 1000)),
    field(2, VARINT, varint(step)),
    content,
  ]);
}

/** tensorflow.Event { session_log = 7: tensorflow.SessionLog { status = 1: START = 1 } }. */
const SESSION_START = field(7, BYTES, field(1, VARINT, varint(1)));

const TFEVENTS = "events.out.tfevents";

/** Bytes of a record's frame: the length with its checksum before it, the checksum after it. */
const FRAME = { before: 12, after: 4 } as const;

/** Cuts a file off before its first record of a later step, and before one that was not written whole; at 0 all goes. */
function rollBack(path: string, afterStep: number): void {
  const bytes = readFileSync(path);
  let end = 0;
  while (end + FRAME.before <= bytes.length) {
    const length = Number(bytes.readBigUInt64LE(end));
    const next = end + FRAME.before + length + FRAME.after;
    if (next > bytes.length) break;
    const record = bytes.subarray(end + FRAME.before, next - FRAME.after);
    if (stepOf(record) > afterStep) break;
    end = next;
  }
  if (end === 0 || afterStep === 0) rmSync(path);
  else if (end < bytes.length) truncateSync(path, end);
}

/** The step of a tensorflow.Event as `eventBytes` writes it: behind the field of the time, which is fixed64. */
function stepOf(record: Buffer): number {
  let step = 0;
  let unit = 1;
  for (let at = 10; at < record.length; at++, unit *= 128) {
    step += (record[at]! % 128) * unit;
    if (record[at]! < 128) break;
  }
  return step;
}

/** tensorflow.Summary { value = 1 { tag = 1, simple_value = 2 } }. */
function summary(scalars: Readonly<Record<string, number>>): Buffer {
  return Buffer.concat(
    Object.entries(scalars).map(([tag, value]) =>
      field(1, BYTES, Buffer.concat([field(1, BYTES, Buffer.from(tag)), field(2, FIXED32, float(value))])),
    ),
  );
}

/** Length, its checksum, the record, its checksum. */
function framed(record: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(record.length));
  return Buffer.concat([length, maskedCrc32c(length), record, maskedCrc32c(record)]);
}

/**
 * A run's event files, of which this process writes one more. Records of steps beyond the one that the run goes on from
 * are taken back, since readers other than a TensorBoard that is running keep every record that they find.
 */
export class TensorBoardSink implements Sink {
  readonly name = "tensorboard";
  readonly #folder: string;
  #file: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open({ start: { firstStep } }: { readonly start: { readonly firstStep: number } }): void {
    const folder = this.#folder;
    makeFolder(folder);
    for (const each of readdirSync(folder))
      if (each.includes(TFEVENTS)) rollBack(join(folder, each), firstStep);
    const seconds = Math.floor(Date.now() / 1000);
    // Sorted by name, a resumed run's file comes after the first's.
    const name = `${TFEVENTS}.${seconds}.${hostname()}.${process.pid}.${firstStep}`;
    this.#file = openSync(join(folder, name), "a");
    this.#write(eventBytes(firstStep, field(3, BYTES, Buffer.from("brain.Event:2"))));
    // A TensorBoard that watched the run forgets what was taken back.
    if (firstStep > 0) this.#write(eventBytes(firstStep + 1, SESSION_START));
  }

  add(event: StepEvent | EvaluationEvent): void {
    this.#write(eventBytes(event.step, field(5, BYTES, summary(scalarsOf(event)))));
  }

  async close(): Promise<void> {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(record: Buffer): void {
    if (this.#file !== undefined) writeSync(this.#file, framed(record));
  }
}
