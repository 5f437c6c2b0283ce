// Finds the elements of a JSON document's list of rows in a byte stream: the top-level list, or the list under
// one key of a top-level object. It only finds where elements start and end; parsing them is V8's.
// No streaming parser is used: they parse in JavaScript, keep the last of duplicate keys and replace broken UTF-8.

export interface JsonElement {
  /** Counted from 1. */
  readonly number: number;
  /** Undefined where the element is longer than the limit. */
  readonly bytes: Buffer | undefined;
  readonly start: number;
  readonly length: number;
}

/** Why a document isn't a list of rows. */
export type JsonFault =
  | { readonly kind: "not-a-list"; readonly keys: readonly string[] }
  | { readonly kind: "missing-key"; readonly keys: readonly string[] }
  | { readonly kind: "syntax"; readonly offset: number; readonly element: number; readonly found: string }
  /** Another value behind the first, which was no list. */
  | { readonly kind: "several"; readonly offset: number }
  | { readonly kind: "truncated"; readonly offset: number; readonly element: number };

const [QUOTE, COMMA, COLON, BACKSLASH] = [34, 44, 58, 92];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];
function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}

/** Fed with chunks, it gives the elements that each completes. */
export class JsonElementSplitter {
  readonly #key: string | undefined;
  readonly #maxBytes: number;
  /** Open brackets around the current byte, outermost first; inside an element only their number counts. */
  #depth = 0;
  /** Depth inside the list of rows; 0 until it opens, -1 once it has closed. */
  #listDepth = 0;
  #opened = false;
  #inString = false;
  #escaped = false;
  #offset = 0;
  #element = 0;
  #elementStart = -1;
  /** The end of the element's last byte that isn't white space. */
  #elementEnd = -1;
  #parts: Buffer[] = [];
  #partsLength = 0;
  #overflow = false;
  #fault: JsonFault | undefined;
  /** After a comma an element must follow. */
  #afterComma = false;
  /** The top-level object's keys, and the bytes of the string that is being read at its depth. */
  readonly #keys: string[] = [];
  #keyBytes: number[] = [];
  #lastKey: string | undefined;
  #expectValue = false;

  constructor(key: string | undefined, maxBytes: number) {
    this.#key = key;
    this.#maxBytes = maxBytes;
  }

  /** The first fault; once there is one, nothing more is read. */
  get fault(): JsonFault | undefined {
    return this.#fault;
  }

  push(chunk: Buffer): JsonElement[] {
    const elements: JsonElement[] = [];
    let from = this.#elementStart >= 0 ? 0 : -1;
    for (let i = 0; i < chunk.length && this.#fault === undefined; i++) {
      const byte = chunk[i]!;
      if (this.#inString) {
        this.#readString(byte);
        if (this.#elementStart >= 0) this.#elementEnd = this.#offset + i + 1;
        continue;
      }
      if (isSpace(byte)) continue;
      const between = this.#listDepth > 0 && this.#depth === this.#listDepth;
      if (between && (byte === COMMA || byte === CLOSE_LIST)) {
        const element = this.#close(chunk, from, i);
        if (element !== undefined) elements.push(element);
        from = -1;
        continue;
      }
      if (this.#listDepth > 0 && this.#elementStart < 0) {
        this.#elementStart = this.#offset + i;
        this.#element++;
        from = i;
      }
      this.#readStructure(byte, i);
      if (this.#elementStart >= 0) this.#elementEnd = this.#offset + i + 1;
    }
    if (from >= 0) this.#keep(chunk.subarray(from));
    this.#offset += chunk.length;
    return elements;
  }

  /** To call after the last chunk: the document that isn't finished, or isn't a list, is a fault. */
  end(): void {
    if (this.#fault !== undefined) return;
    if (this.#depth > 0 || this.#inString) {
      const element = this.#element + (this.#elementStart >= 0 || this.#listDepth < 0 ? 0 : 1);
      this.#fault = { kind: "truncated", offset: this.#offset, element };
    } else if (this.#listDepth === 0) {
      this.#fault = { kind: this.#key === undefined ? "not-a-list" : "missing-key", keys: this.#keys };
    }
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      if (this.#depth === 1 && this.#listDepth === 0 && !this.#expectValue) {
        this.#lastKey = readKey(this.#keyBytes);
      }
      return;
    }
    if (this.#depth === 1 && this.#listDepth === 0 && !this.#expectValue) this.#keyBytes.push(byte);
  }

  #readStructure(byte: number, at: number): void {
    const opens = byte === OPEN_LIST || byte === OPEN_OBJECT;
    if (this.#depth === 0 && this.#opened && opens && this.#listDepth === 0) {
      this.#fault = { kind: "several", offset: this.#offset + at };
    } else if (this.#depth === 0 && (this.#opened || !opens)) {
      this.#fail(at, byte);
    } else if (byte === QUOTE) {
      this.#inString = true;
      this.#keyBytes = [];
    } else if (opens) {
      this.#open(byte);
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      this.#depth--;
    } else if (this.#depth === 1 && this.#listDepth === 0) {
      this.#readTopObject(byte);
    }
  }

  #open(byte: number): void {
    const wanted =
      this.#key === undefined
        ? this.#depth === 0
        : this.#depth === 1 && this.#expectValue && this.#lastKey === this.#key;
    this.#opened = true;
    this.#depth++;
    if (this.#listDepth === 0 && wanted && byte === OPEN_LIST) this.#listDepth = this.#depth;
  }

  #readTopObject(byte: number): void {
    if (byte === COLON) {
      this.#expectValue = true;
      if (this.#lastKey !== undefined) this.#keys.push(this.#lastKey);
    } else if (byte === COMMA) {
      this.#expectValue = false;
    }
  }

  /** Ends the element before the comma or the closing bracket at `at`. */
  #close(chunk: Buffer, from: number, at: number): JsonElement | undefined {
    const byte = chunk[at]!;
    const empty = this.#elementStart < 0;
    // Only the list without any element may close without one.
    if (empty && (byte === COMMA || this.#afterComma)) {
      this.#element++;
      this.#fail(at, byte);
      return undefined;
    }
    if (from >= 0) this.#keep(chunk.subarray(from, at));
    const [start, length] = [this.#elementStart, this.#elementEnd - this.#elementStart];
    const tooLong = length > this.#maxBytes || this.#overflow;
    const bytes = tooLong ? undefined : Buffer.concat(this.#parts).subarray(0, length);
    this.#parts = [];
    this.#partsLength = 0;
    this.#overflow = false;
    this.#elementStart = -1;
    this.#afterComma = byte === COMMA;
    if (byte === CLOSE_LIST) {
      this.#depth--;
      this.#listDepth = -1;
    }
    return empty ? undefined : { number: this.#element, bytes, start, length };
  }

  #keep(part: Buffer): void {
    this.#partsLength += part.length;
    // White space behind an element is kept until its end is known; a page of it is no reason to refuse a row.
    if (this.#partsLength > this.#maxBytes + 65_536) this.#overflow = true;
    if (this.#overflow) this.#parts = [];
    else this.#parts.push(part);
  }

  #fail(at: number, byte: number): void {
    this.#fault = {
      kind: "syntax",
      offset: this.#offset + at,
      element: Math.max(1, this.#element),
      found: String.fromCharCode(byte),
    };
  }
}

function readKey(bytes: readonly number[]): string {
  const text = Buffer.from(bytes).toString("utf8");
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}
