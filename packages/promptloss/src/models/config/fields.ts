// Reads the keys of a JSON object one by one, checks each, and remembers which were read: a key that nothing read
// is reported, so that no setting of a model is ignored without a word.
import { isJsonObject, type JsonObject } from "../../json-object.ts";
import { ModelConfigError } from "../errors.ts";

/** Of the deepest models there are, some 200. */
const MOST_LAYERS = 10_000;

/** One JSON object being read. A null counts as a key left out. */
export class ConfigFields {
  readonly path: string;
  readonly #object: JsonObject;
  readonly #prefix: string;
  readonly #read = new Set<string>();

  constructor(path: string, object: JsonObject, prefix = "") {
    this.path = path;
    this.#object = object;
    this.#prefix = prefix;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#object, key) && this.#object[key] !== null;
  }

  /** Whether the key is there, with null or another value. */
  hasKey(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  /** The value as it stands, undefined where there is none; marks the key as read. */
  take(key: string): unknown {
    this.#read.add(key);
    return this.has(key) ? this.#object[key] : undefined;
  }

  get isEmpty(): boolean {
    return Object.keys(this.#object).length === 0;
  }

  /** Marks keys as read whose values make no difference. */
  ignore(...keys: string[]): void {
    for (const key of keys) this.#read.add(key);
  }

  error(key: string, message: string, hint?: string): ModelConfigError {
    const value = this.#object[key];
    const fields = { path: this.path, key: this.#prefix + key, value };
    return new ModelConfigError(`${message}, got ${JSON.stringify(value)}`, fields, { hint });
  }

  number(key: string, fallback?: number): number {
    const value = this.take(key) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.error(key, "expected a number");
    return value;
  }

  /** A number from 0 up to but without 1. */
  probability(key: string, fallback = 0): number {
    const value = this.number(key, fallback);
    if (value < 0 || value >= 1) throw this.error(key, "expected a probability below 1");
    return value;
  }

  /** A whole number of at least 1. */
  count(key: string, fallback?: number): number {
    const value = this.number(key, fallback);
    if (!Number.isInteger(value) || value < 1) throw this.error(key, "expected a whole number of at least 1");
    return value;
  }

  /** Layers become objects: a number beyond reason is refused before they do. */
  layerCount(key: string): number {
    const value = this.count(key);
    if (value > MOST_LAYERS)
      throw this.error(key, `expected at most ${MOST_LAYERS.toLocaleString("en-US")} layers`);
    return value;
  }

  optionalCount(key: string): number | undefined {
    return this.has(key) ? this.count(key) : void this.take(key);
  }

  optionalNumber(key: string): number | undefined {
    return this.has(key) ? this.number(key) : void this.take(key);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.take(key) ?? fallback;
    if (typeof value !== "boolean") throw this.error(key, "expected true or false");
    return value;
  }

  choice<T extends string>(key: string, choices: readonly T[], fallback?: T): T {
    const value = this.take(key) ?? fallback;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.error(key, `expected ${choices.join(", ")}`);
    return found;
  }

  numbers(key: string, length: number): number[] {
    const value = this.take(key);
    if (!Array.isArray(value) || value.length !== length || !value.every((each) => typeof each === "number"))
      throw this.error(key, `expected ${length} numbers`);
    return value as number[];
  }

  object(key: string): ConfigFields | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    if (!isJsonObject(value)) throw this.error(key, "expected an object");
    return new ConfigFields(this.path, value, `${this.#prefix}${key}.`);
  }

  /** Refuses any value but the one that the decoder computes with. */
  require(key: string, value: unknown, why: string): void {
    const given = this.take(key);
    if (given !== undefined && given !== value)
      throw this.error(key, `only ${JSON.stringify(value)} is supported (${why})`);
  }

  /** Keys with a value that nothing has read. */
  get unread(): string[] {
    return Object.keys(this.#object).filter((key) => !this.#read.has(key) && this.#object[key] !== null);
  }

  /** @throws {ModelConfigError} where a key was not read */
  refuseUnread(): void {
    const [first, ...rest] = this.unread;
    if (first === undefined) return;
    const others = rest.length === 0 ? "" : ` (and ${rest.map((key) => this.#prefix + key).join(", ")})`;
    throw this.error(
      first,
      `is not a setting that is known here${others}`,
      "a setting that changes results can't be ignored; if it changes none, list it in `ignoreKeys`",
    );
  }
}
