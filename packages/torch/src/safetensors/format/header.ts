// The header of a safetensors file: 8 bytes of length, JSON that names each tensor's dtype, shape and place, then the
// data. Checked by the rules of the format's reference implementation: every byte of the data belongs to exactly
// one tensor. Pure; reading and mapping are elsewhere.

import type { DType } from "../../dtype.ts";
import { SafetensorsError } from "./errors.ts";

/** Where a tensor lies: bytes from the start of the data. */
export interface TensorEntry {
  readonly name: string;
  /** As the file writes it: "BF16". */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Where the data begins, in bytes from the start of the file. */
  readonly dataStart: number;
}

/** The reference implementation's limit; a larger length is a file of another kind. */
export const maxHeaderBytes = 100_000_000;

export const lengthBytes = 8;

/** Bits an element, of every dtype that the format knows. */
const bits: Readonly<Record<string, number>> = {
  ...{ BOOL: 8, U8: 8, I8: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32 },
  ...{
    F64: 64,
    I64: 64,
    U64: 64,
    C64: 64,
    F8_E5M2: 8,
    F8_E4M3: 8,
    F8_E8M0: 8,
    F4: 4,
    F6_E2M3: 6,
    F6_E3M2: 6,
  },
};

/** The dtypes that become tensors. */
export const dtypes: Readonly<Record<string, DType>> = {
  ...{ F32: "float32", F64: "float64", BF16: "bfloat16", F16: "float16", BOOL: "bool" },
  ...{ I64: "int64", I32: "int32", I16: "int16", I8: "int8", U8: "uint8" },
};

/**
 * Reads the length that a file begins with.
 * @throws {SafetensorsError} where no header of that length fits the file
 */
export function headerLength(path: string, first: Uint8Array, fileBytes: number): number {
  if (first.length < lengthBytes)
    throw new SafetensorsError(path, "truncated", `has ${fileBytes} bytes, too few for a header's length`, {
      hint: "the download may have been cut short",
    });
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes))
    throw new SafetensorsError(
      path,
      "header",
      `announces a header of ${length} bytes; ${maxHeaderBytes} is the limit`,
      {
        hint: "this is no safetensors file, or a damaged one",
      },
    );
  if (Number(length) + lengthBytes > fileBytes)
    throw new SafetensorsError(
      path,
      "truncated",
      `announces a header of ${length} bytes, but has ${fileBytes} in all`,
      {
        hint: "the download may have been cut short",
      },
    );
  return Number(length);
}

/**
 * Parses and checks a header.
 * @param dataBytes what follows the header in the file
 * @throws {SafetensorsError} at the first thing that is wrong
 */
export function parseHeader(path: string, bytes: Uint8Array, dataBytes: number): Header {
  const text = decode(path, bytes);
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined)
    throw new SafetensorsError(path, "header", `names ${JSON.stringify(duplicate)} twice`);
  const json = parseObject(path, text);
  const metadata: Record<string, string> = Object.create(null);
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") Object.assign(metadata, checkMetadata(path, value));
    else entries.set(name, checkEntry(path, name, value));
  }
  checkCoverage(path, entries, dataBytes);
  return { metadata, entries, dataStart: lengthBytes + bytes.length };
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError(path, "header", "the header is not UTF-8", { cause });
  }
}

function parseObject(path: string, text: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError(path, "header", `the header is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (!isObject(json)) throw new SafetensorsError(path, "header", "the header is no JSON object");
  return json;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A key that an object of a valid JSON text has twice, at any depth: JSON.parse keeps the last without a word.
 * Strings are compared as written, so a key that is escaped in two ways passes for two.
 */
function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (/^\s*:/.test(text.slice(index + token.length, index + token.length + 64))) {
      const keys = open.at(-1);
      if (keys?.has(token)) return token.slice(1, -1);
      keys?.add(token);
    }
  }
  return undefined;
}

function checkMetadata(path: string, value: unknown): Record<string, string> {
  if (!isObject(value) || !Object.values(value).every((each) => typeof each === "string"))
    throw new SafetensorsError(path, "header", "__metadata__ must map strings to strings");
  return value as Record<string, string>;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkEntry(path: string, name: string, value: unknown): TensorEntry {
  const fail = (reason: "header" | "dtype" | "shape" | "offsets", message: string): SafetensorsError =>
    new SafetensorsError(path, reason, message, { tensor: name });
  if (!isObject(value)) throw fail("header", "its entry is no object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(bits, dtype))
    throw fail("dtype", `unknown dtype ${JSON.stringify(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(isSize))
    throw fail("shape", `${JSON.stringify(shape)} is no shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
    throw fail("offsets", `${JSON.stringify(offsets)} are no offsets`);
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw fail("offsets", `begins at ${begin}, after its end at ${end}`);
  const size = (shape as number[]).reduce(
    (product, each) => product * BigInt(each),
    BigInt(bits[dtype] as number),
  );
  if (size !== BigInt(end - begin) * 8n)
    throw fail(
      "offsets",
      `shape [${shape.join(", ")}] of ${dtype} takes ${size / 8n} bytes, its place has ${end - begin}`,
    );
  return { name, dtype, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(path: string, entries: ReadonlyMap<string, TensorEntry>, dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...entries.values()].sort(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin !== covered) {
      const what =
        begin < covered
          ? "overlaps the tensor before it"
          : `leaves ${begin - covered} bytes before it to nobody`;
      throw new SafetensorsError(path, "offsets", what, { tensor: name });
    }
    if (end > dataBytes)
      throw new SafetensorsError(
        path,
        "truncated",
        `ends at byte ${end} of the data, which has ${dataBytes}`,
        {
          tensor: name,
          hint: "the download may have been cut short",
        },
      );
    covered = end;
  }
  if (covered !== dataBytes)
    throw new SafetensorsError(
      path,
      "offsets",
      `${dataBytes - covered} bytes after the last tensor belong to nobody`,
    );
}
