// Metadata of a GGUF file, read key by key with its type checked.
import { GgufError } from "./format/errors.ts";
import type { GgufHead, GgufValue } from "./format/read.ts";

export class Metadata {
  readonly path: string;
  readonly #values: ReadonlyMap<string, GgufValue>;

  constructor({ path, metadata }: Pick<GgufHead, "path" | "metadata">) {
    this.path = path;
    this.#values = metadata;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  error(key: string, message: string, hint?: string): GgufError {
    return new GgufError(this.path, message, { what: key, hint });
  }

  number(key: string): number | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isFinite(value))
      throw this.error(key, `expected a number, got ${shown(value)}`);
    return shortest(value);
  }

  /** A whole number of at least 1. */
  count(key: string): number {
    const value = this.number(key);
    if (value === undefined) throw this.error(key, "is missing");
    if (!Number.isInteger(value) || value < 1)
      throw this.error(key, `expected a whole number of at least 1, got ${value}`);
    return value;
  }

  optionalCount(key: string): number | undefined {
    return this.has(key) ? this.count(key) : undefined;
  }

  /** A token's id, 0 or more. */
  id(key: string, below: number): number | undefined {
    const value = this.number(key);
    if (value === undefined) return undefined;
    // Some writers say with the largest 32-bit number, or −1, that there is none.
    if (value === 0xffffffff || value === -1) return undefined;
    if (!Number.isInteger(value) || value < 0 || value >= below)
      throw this.error(key, `${value} is no token of ${below}`);
    return value;
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.#values.get(key) ?? fallback;
    if (typeof value !== "boolean") throw this.error(key, `expected true or false, got ${shown(value)}`);
    return value;
  }

  text(key: string): string | undefined {
    const value = this.#values.get(key);
    if (value === undefined || typeof value === "string") return value;
    throw this.error(key, `expected a text, got ${shown(value)}`);
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((each) => typeof each === "string"))
      throw this.error(key, "expected a list of texts");
    return value as readonly string[];
  }

  /** @param length what it has to have */
  numbers(key: string, length: number): ArrayLike<number> | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    const list = value as readonly unknown[] & ArrayBufferView;
    const isList = ArrayBuffer.isView(value) || (Array.isArray(value) && value.every(isNumber));
    if (!isList || list.length !== length) throw this.error(key, `expected a list of ${length} numbers`);
    return value as ArrayLike<number>;
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === "number";
}

function shown(value: GgufValue): string {
  if (typeof value === "object") return "a list";
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

/** The shortest decimal of a float32: 1e-5 rather than 9.999999747378752e-6. Whole numbers and float64 stay. */
function shortest(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
