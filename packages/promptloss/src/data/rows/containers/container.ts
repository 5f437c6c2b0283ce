// What a file is, found by looking at it: compressed or not, and JSON, JSON lines, CSV, Parquet or plain text.
// The name only decides between CSV and plain text, which look alike.
import { extname } from "node:path";
import { DataError } from "../data-error.ts";
import { checkFile, type DataFile, hasBom, readBytes, readHead } from "./bytes.ts";
import { CR, LF } from "./lines.ts";

export const CONTAINERS = ["json", "jsonl", "csv", "parquet", "text"] as const;

export type ContainerKind = (typeof CONTAINERS)[number];

export interface Container {
  readonly kind: ContainerKind;
  readonly gzip: boolean;
  /** The start of the text, without a BOM; empty for Parquet. */
  readonly head: Buffer;
  /** The byte that ends a line: a carriage return where the head has such and no line feed. */
  readonly lineEnd: number;
}

/** As much as is looked at: more than any header or first row of common size. */
const HEAD_BYTES = 65_536;

/** Tab, line feed, carriage return and space. */
const WHITE: ReadonlySet<number> = new Set([9, LF, CR, 32]);

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
function isParquet(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).toString("latin1") === "PAR1";
}

/** Magic bytes of what users bring and this doesn't read, with what to do. */
const FOREIGN: readonly { magic: readonly number[]; name: string; hint: string }[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: "zstd", hint: "Decompress it first: zstd -d FILE." },
  { magic: [0x42, 0x5a, 0x68], name: "bzip2", hint: "Decompress it first: bunzip2 FILE." },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], name: "xz", hint: "Decompress it first: unxz FILE." },
  { magic: [0x50, 0x4b, 0x03, 0x04], name: "a zip archive", hint: "Unpack it first: unzip FILE." },
  {
    magic: [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31],
    name: "an Arrow file",
    hint: "Write it as Parquet: Dataset.to_parquet(FILE).",
  },
  // Before UTF-16, whose mark theirs begins with.
  { magic: [0xff, 0xfe, 0, 0], name: "UTF-32 text", hint: "Convert it: iconv -f UTF-32 -t UTF-8 FILE." },
  { magic: [0, 0, 0xfe, 0xff], name: "UTF-32 text", hint: "Convert it: iconv -f UTF-32 -t UTF-8 FILE." },
  { magic: [0xff, 0xfe], name: "UTF-16 text", hint: "Convert it: iconv -f UTF-16 -t UTF-8 FILE." },
  { magic: [0xfe, 0xff], name: "UTF-16 text", hint: "Convert it: iconv -f UTF-16 -t UTF-8 FILE." },
];

/** Looks at a file. @throws {DataError} where it is missing, empty, or nothing that can be read */
export async function detectContainer(file: DataFile, named?: ContainerKind): Promise<Container> {
  await checkFile(file);
  const raw = await readHead(file, HEAD_BYTES);
  const gzip = isGzip(raw);
  const head = gzip ? await gunzippedHead(file) : raw;
  refuseForeign(head, file.name);
  if (isParquet(head)) {
    if (named !== undefined && named !== "parquet") throw disagreement(file, named, "parquet");
    return { kind: "parquet", gzip, head: Buffer.alloc(0), lineEnd: LF };
  }
  if (named === "parquet") {
    throw new DataError("invalid-parquet", "the file doesn't start as Parquet does", { file: file.name });
  }
  const text = hasBom(head) ? head.subarray(3) : head;
  if (head.length < HEAD_BYTES && text.every((byte) => WHITE.has(byte))) {
    throw new DataError("empty-file", "the file has nothing but white space", { file: file.name });
  }
  const lineEnd = text.includes(CR) && !text.includes(LF) ? CR : LF;
  return { kind: named ?? textKind(text, file, lineEnd), gzip, head: text, lineEnd };
}

async function gunzippedHead(file: DataFile): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of readBytes(file, { gzip: true, chunkBytes: 16_384 })) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= HEAD_BYTES) break;
  }
  if (length === 0) throw new DataError("empty-file", "the gzip file holds no bytes", { file: file.name });
  return Buffer.concat(chunks).subarray(0, HEAD_BYTES);
}

/** What stands for a file in a clone without Git LFS. */
const LFS = Buffer.from("version https://git-lfs.github.com/spec/");

/** @throws {DataError} for what isn't read, by name, where a file starts as such do */
export function refuseForeign(head: Buffer, file: string): void {
  if (head.subarray(0, LFS.length).equals(LFS))
    throw new DataError("unknown-container", "a Git LFS pointer, not the file that it stands for", {
      file,
      hint: "Fetch the file itself: git lfs pull.",
    });
  const foreign = FOREIGN.find(({ magic }) => magic.every((byte, i) => head[i] === byte)) ?? unmarked(head);
  if (foreign === undefined) return;
  throw new DataError("unknown-container", `${foreign.name} isn't read`, { file, hint: foreign.hint });
}

/** Text of two or four bytes a character without a mark: an ASCII character with zeros beside it. */
function unmarked(head: Buffer): Pick<(typeof FOREIGN)[number], "name" | "hint"> | undefined {
  const zeros = [0, 1, 2, 3].map((i) => head[i] === 0).join();
  const name = {
    "false,true,true,true": "UTF-32LE",
    "true,true,true,false": "UTF-32BE",
    "false,true,false,true": "UTF-16LE",
    "true,false,true,false": "UTF-16BE",
  }[zeros];
  return name === undefined
    ? undefined
    : { name: `${name} text`, hint: `Convert it: iconv -f ${name} -t UTF-8 FILE.` };
}

function textKind(head: Buffer, file: DataFile, lineEnd: number): ContainerKind {
  const extension = extname(file.name.replace(/\.gz$/i, "")).toLowerCase();
  const first = head.find((byte) => !WHITE.has(byte));
  if (extension === ".txt" || extension === ".md") return "text";
  if (extension === ".csv" || extension === ".tsv") return "csv";
  if (first === 0x5b) return "json";
  if (first === 0x7b)
    return extension === ".jsonl" || extension === ".ndjson" || isLine(head, lineEnd) ? "jsonl" : "json";
  if (extension === ".jsonl" || extension === ".ndjson") return "jsonl";
  throw new DataError("unknown-container", "neither JSON, JSON lines nor Parquet by its content", {
    file: file.name,
    hint: `Name it: container: ${CONTAINERS.map((name) => `"${name}"`).join(" | ")}.`,
  });
}

/** Whether the object that starts here is meant to end with its line: no line end stands between its tokens. */
function isLine(head: Buffer, lineEnd: number): boolean {
  let inString = false;
  let depth = 0;
  for (let i = 0; i < head.length; i++) {
    const byte = head[i]!;
    if (inString) {
      if (byte === 0x5c) i++;
      // JSON has no line end inside a string: a broken line, but a line.
      else if (byte === lineEnd) return true;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) {
      if (--depth <= 0) return true;
    } else if (byte === lineEnd && depth > 0) return false;
  }
  return true;
}

function disagreement(file: DataFile, named: ContainerKind, found: ContainerKind): DataError {
  return new DataError("invalid-option", `container is "${named}", but the file is ${found}`, {
    file: file.name,
  });
}
