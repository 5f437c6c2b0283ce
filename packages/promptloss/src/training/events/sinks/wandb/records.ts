// The records that a run of Weights & Biases consists of: wandb_internal.Record of wandb's protocol buffers. Of their many
// fields only those that a run of ours has.

import { bytes, field, fieldOf, VARINT, varint } from "../protobuf.ts";
import type { SinkEnd } from "../sink.ts";

export interface WandbRun {
  readonly id: string;
  readonly entity: string | undefined;
  readonly project: string;
  readonly name: string;
  readonly group: string | undefined;
  readonly tags: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly host: string;
  /** ms since 1970. */
  readonly startedAt: number;
}

/** Fields of wandb_internal.Record. */
const RECORD = { num: 1, history: 2, summary: 3, run: 17, exit: 18, header: 21 } as const;

/** What the oldest reader must be, as wandb itself writes it. */
const MIN_CONSUMER = "0.70.0";

function record(number: number, kind: keyof typeof RECORD, content: Buffer): Buffer {
  return Buffer.concat([field(RECORD.num, VARINT, varint(number)), bytes(RECORD[kind], content)]);
}

/** @param number of the record in its file, from 1 */
export function headerRecord(number: number, producer: string): Buffer {
  return record(number, "header", bytes(1, Buffer.concat([bytes(1, producer), bytes(2, MIN_CONSUMER)])));
}

export function runRecord(number: number, run: WandbRun): Buffer {
  const config = Object.entries(run.config).flatMap(([key, value]) =>
    value === undefined ? [] : [bytes(1, Buffer.concat([bytes(1, key), bytes(16, JSON.stringify(value))]))],
  );
  const started = Buffer.concat([
    field(1, VARINT, varint(Math.floor(run.startedAt / 1000))),
    field(2, VARINT, varint(Math.round(run.startedAt % 1000) * 1e6)),
  ]);
  return record(
    number,
    "run",
    Buffer.concat([
      bytes(1, run.id),
      ...(run.entity === undefined ? [] : [bytes(2, run.entity)]),
      bytes(3, run.project),
      bytes(4, Buffer.concat(config)),
      ...(run.group === undefined ? [] : [bytes(6, run.group)]),
      bytes(8, run.name),
      ...run.tags.map((tag) => bytes(10, tag)),
      bytes(13, run.host),
      bytes(17, started),
    ]),
  );
}

type Numbers = Readonly<Record<string, number>>;

function items(numbers: Numbers): Buffer[] {
  return Object.entries(numbers).map(([key, value]) =>
    bytes(1, Buffer.concat([bytes(2, key), bytes(16, JSON.stringify(value))])),
  );
}

/** The numbers of a step. */
export function historyRecord(number: number, step: number, numbers: Numbers): Buffer {
  const at = bytes(2, field(1, VARINT, varint(step)));
  return record(number, "history", Buffer.concat([...items(numbers), at]));
}

/** The last numbers so far. */
export function summaryRecord(number: number, numbers: Numbers): Buffer {
  return record(number, "summary", Buffer.concat(items(numbers)));
}

const EXIT_CODES = { completed: 0, "stopped-early": 0, interrupted: 130, failed: 1 } as const;

/** @param seconds that the run took */
export function exitRecord(number: number, reason: SinkEnd["reason"], seconds: number): Buffer {
  const code = field(1, VARINT, varint(EXIT_CODES[reason]));
  return record(number, "exit", Buffer.concat([code, field(2, VARINT, varint(Math.round(seconds)))]));
}

/** What a record is, as far as a run that goes on has to know. */
export function kindOf(bytesOfRecord: Buffer): { readonly step?: number; readonly isExit: boolean } {
  const history = fieldOf(bytesOfRecord, RECORD.history);
  const step = history instanceof Buffer ? fieldOf(history, 2) : undefined;
  const number = step instanceof Buffer ? (fieldOf(step, 1) ?? 0) : undefined;
  return {
    ...(typeof number === "number" && { step: number }),
    isExit: fieldOf(bytesOfRecord, RECORD.exit) !== undefined,
  };
}
