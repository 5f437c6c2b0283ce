// Where examples come from: plain configuration, checked whole before anything is read.
import { isJsonObject } from "../../json-object.ts";
import { CONTAINERS, type ContainerKind } from "./containers/container.ts";
import type { SampleBy } from "./containers/plain-text.ts";
import { DataError } from "./data-error.ts";
import { FORMAT_NAMES, type FormatName } from "./formats/row-format.ts";
import { nearestName } from "./nearest-name.ts";

export interface DataSource {
  /** A file, a pattern like `data/*.jsonl`, a dataset folder, or, where there is no such path, a hub id. */
  readonly path: string;
  /** The rows' format; found out from the first rows' keys when left out. */
  readonly format?: FormatName;
  /** The file's container; found out from its content when left out. */
  readonly container?: ContainerKind;
  /** The column that each of the format's fields stands in; null where a column is not to be read. */
  readonly columns?: Readonly<Record<string, string | null>>;
  /** How often each row is taken in one pass: 2 takes all twice, 0.5 one at random of each two. Default: 1. */
  readonly weight?: number;
  /** At most so many examples, before `weight`. */
  readonly limit?: number;
  /** Which rows `limit` leaves: the first, or a random sample in the file's order. Default: first. */
  readonly sample?: "first" | "random";
  /** Of a folder or hub id: the split. Default: train, or the only one. */
  readonly split?: string;
  /** Of a folder or hub id: the configuration (subset). Default: the one the data card marks, or the only one. */
  readonly config?: string;
  /** Of a folder or hub id: patterns of the files to read, in place of what the data card or names say. */
  readonly files?: string | readonly string[];
  /** Of a hub id: a branch, tag or commit. Default: main. */
  readonly revision?: string;
  /** Of a JSON document that is an object: the key of its list of rows. */
  readonly field?: string;
  /** Of CSV: what stands between cells. Default: found out from the header. */
  readonly delimiter?: string;
  /** Of CSV: false where quotes are text and enclose no cell, as in most TSV. Default: true. */
  readonly quotes?: boolean;
  /** Of text files: what a row is. Default: line. */
  readonly sampleBy?: SampleBy;
}

type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === "string" && value !== "" ? undefined : "a text");

function oneOf(...names: readonly string[]): Check {
  return (value) => (names.includes(value as string) ? undefined : `one of ${names.join(", ")}`);
}

const CHECKS: Readonly<Record<keyof DataSource, Check>> = {
  path: text,
  format: oneOf(...FORMAT_NAMES),
  container: oneOf(...CONTAINERS),
  columns: (value) =>
    isJsonObject(value) && Object.values(value).every((name) => name === null || text(name) === undefined)
      ? undefined
      : "a mapping from the format's fields to column names",
  weight: (value) =>
    typeof value === "number" && Number.isFinite(value) && value > 0 ? undefined : "a number above 0",
  limit: (value) =>
    Number.isSafeInteger(value) && (value as number) > 0 ? undefined : "a whole number above 0",
  sample: oneOf("first", "random"),
  split: text,
  config: text,
  files: (value) =>
    [value].flat().length > 0 && [value].flat().every((item) => text(item) === undefined)
      ? undefined
      : "a pattern or a list of patterns",
  revision: text,
  field: text,
  delimiter: (value) =>
    text(value) === undefined && value !== '"' ? undefined : "a delimiter such as a comma",
  quotes: (value) => (typeof value === "boolean" ? undefined : "true or false"),
  sampleBy: oneOf("line", "paragraph", "document"),
};

/** @throws {DataError} at the first key that is unknown or has a value that it can't have */
export function checkSource(source: DataSource): void {
  if (!isJsonObject(source)) throw invalid("a data source is an object with a path", undefined);
  for (const [key, value] of Object.entries(source)) {
    const check = Object.hasOwn(CHECKS, key) ? CHECKS[key as keyof DataSource] : undefined;
    if (check === undefined) throw unknownKey(key);
    const expected = value === undefined && key !== "path" ? undefined : check(value);
    if (expected !== undefined) {
      throw invalid(`${expected} was expected, found ${JSON.stringify(value) ?? String(value)}`, key);
    }
  }
  if (source.path === undefined) throw invalid("the data source has no path", "path");
  if (source.sample !== undefined && source.limit === undefined) {
    throw invalid("sample says which rows a limit leaves, and there is no limit", "sample");
  }
}

function unknownKey(key: string): DataError {
  const nearest = nearestName(key, Object.keys(CHECKS));
  const hint =
    nearest === undefined ? `Keys: ${Object.keys(CHECKS).join(", ")}.` : `Did you mean ${nearest}?`;
  return new DataError("invalid-option", "a data source has no such key", { field: key, hint });
}

function invalid(message: string, field: string | undefined): DataError {
  return new DataError("invalid-option", message, { field });
}

/** Whether some of a source's rows are drawn at random: only then does the seed change which rows there are. */
export function isDrawn({ limit, sample, weight = 1 }: DataSource): boolean {
  return (limit !== undefined && sample === "random") || !Number.isInteger(weight);
}
