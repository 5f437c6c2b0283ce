// The layout of a token cache file. Rows are read one by one from where the index says they are, straight into
// typed arrays: Node cannot map files into memory, and this way a cache of any size needs only its index there.
//
//   header   96 bytes: magic, version, byte-order mark, sizes and places, SHA-256 of all the rest
//   rows     each: ids int32[n], part weights and scales float32[n] where flagged, classes uint8[n], padded to 4 bytes
//   index    columns over rows: offset f64, row weight f64; length, file, row number, group i32; flags u8
//   meta     JSON: key, file names, groups, tokenization report

export const MAGIC = "PLTOKENS";
export const VERSION = 7;
export const BYTE_ORDER_MARK = 0x01020304;
export const HEADER_BYTES = 96;
export const CHECKSUM_AT = 64;
export const CHECKSUM_BYTES = 32;
/** Flags of a row that carries part weights, and scales. */
export const HAS_PART_WEIGHTS = 1;
export const HAS_SCALES = 2;

export const NO_GROUP = -1;

/** Bytes of the index for each row. */
const INDEX_ROW_BYTES = 8 + 8 + 4 + 4 + 4 + 4 + 1;

export interface CacheHeader {
  readonly rows: number;
  readonly indexOffset: number;
  readonly metaOffset: number;
  readonly fileSize: number;
  /** SHA-256 of the header up to it and of all behind the header. */
  readonly checksum: Buffer;
}

/** The header as it stands in the file, in the machine's own byte order; the checksum is filled in later. */
export function writeHeader(header: Omit<CacheHeader, "checksum">): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES);
  buffer.write(MAGIC, 0, "latin1");
  const view = new Uint32Array(buffer.buffer, buffer.byteOffset + 8, 2);
  view[0] = VERSION;
  view[1] = BYTE_ORDER_MARK;
  const numbers = new Float64Array(buffer.buffer, buffer.byteOffset + 16, 4);
  numbers.set([header.rows, header.indexOffset, header.metaOffset, header.fileSize]);
  return buffer;
}

export type HeaderFault = { readonly fault: "foreign" | "version" | "byte-order"; readonly message: string };

/** Reads a header; says what is wrong with it where something is. */
export function readHeader(bytes: Buffer): CacheHeader | HeaderFault {
  if (bytes.length < HEADER_BYTES || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    return { fault: "foreign", message: "is not a token cache" };
  }
  // A copy, so that the views below are aligned.
  const { buffer } = Uint8Array.from(bytes.subarray(0, HEADER_BYTES));
  const [version, mark] = new Uint32Array(buffer, 8, 2);
  if (mark !== BYTE_ORDER_MARK)
    return { fault: "byte-order", message: "was written on a machine of other byte order" };
  if (version !== VERSION)
    return { fault: "version", message: `has version ${version}, this program writes ${VERSION}` };
  const [rows = 0, indexOffset = 0, metaOffset = 0, fileSize = 0] = new Float64Array(buffer, 16, 4);
  const checksum = Buffer.from(bytes.subarray(CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES));
  return { rows, indexOffset, metaOffset, fileSize, checksum };
}

/** The columns of the index. */
export interface CacheIndex {
  /** Where in the file each row starts. */
  readonly offsets: Float64Array;
  readonly rowWeights: Float64Array;
  /** Tokens. */
  readonly lengths: Int32Array;
  readonly files: Int32Array;
  readonly rowNumbers: Int32Array;
  /** The number of each row's group; NO_GROUP where it has none. */
  readonly groups: Int32Array;
  readonly flags: Uint8Array;
}

export function indexBytes(rows: number): number {
  return rows * INDEX_ROW_BYTES;
}

/** The columns as views of one buffer, which is the index as it stands in the file. */
export function indexViews(buffer: ArrayBuffer, rows: number): CacheIndex {
  return {
    offsets: new Float64Array(buffer, 0, rows),
    rowWeights: new Float64Array(buffer, 8 * rows, rows),
    lengths: new Int32Array(buffer, 16 * rows, rows),
    files: new Int32Array(buffer, 20 * rows, rows),
    rowNumbers: new Int32Array(buffer, 24 * rows, rows),
    groups: new Int32Array(buffer, 28 * rows, rows),
    flags: new Uint8Array(buffer, 32 * rows, rows),
  };
}

/** The bytes that a row takes in the file. */
export function rowBytes(length: number, flags: number): number {
  return 4 * length * (1 + floatArrays(flags)) + 4 * Math.ceil(length / 4);
}

function floatArrays(flags: number): number {
  return (flags & HAS_PART_WEIGHTS ? 1 : 0) + (flags & HAS_SCALES ? 1 : 0);
}

export interface RowViews {
  readonly ids: Int32Array;
  readonly partWeights: Float32Array | undefined;
  readonly scales: Float32Array | undefined;
  readonly classes: Uint8Array;
}

/** A row's arrays as views of one buffer. */
export function rowViews(buffer: ArrayBuffer, length: number, flags: number): RowViews {
  let offset = 4 * length;
  const floats = (flag: number): Float32Array | undefined => {
    if ((flags & flag) === 0) return undefined;
    offset += 4 * length;
    return new Float32Array(buffer, offset - 4 * length, length);
  };
  const [partWeights, scales] = [floats(HAS_PART_WEIGHTS), floats(HAS_SCALES)];
  return {
    ids: new Int32Array(buffer, 0, length),
    partWeights,
    scales,
    classes: new Uint8Array(buffer, offset, length),
  };
}
