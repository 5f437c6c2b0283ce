// One row's JSON: V8's parser, plus the duplicate keys that it would drop in silence.
import { RowProblem } from "../data-error.ts";
import { decodeRow } from "./utf8.ts";

/** The record in a row's bytes; `start` is their offset in the file's text. Throws a RowProblem. */
export const parseJsonRow = (bytes: Buffer, start: number): Record<string, unknown> => {
  const text = decodeRow(bytes, start);
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RowProblem("not-an-object", `a row is an object with named fields, found ${kindOf(value)}`);
  }
  return value as Record<string, unknown>;
};

/** Parses JSON and refuses an object that names a key twice. Throws a RowProblem. */
export const parseJson = (text: string): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RowProblem("invalid-json", `not JSON: ${(error as Error).message}`);
  }
  // Every member is written with one colon, so a document without duplicates has as many colons outside its
  // strings as its value has members; names are only looked at where the counts differ.
  if (countColons(text) !== countMembers(value)) {
    const key = findDuplicateKey(text);
    throw new RowProblem("duplicate-key", `the key ${JSON.stringify(key)} stands twice in one object`, {
      field: key,
    });
  }
  return value;
};

/** What a value is, in words for an error. */
export const kindOf = (value: unknown): string => {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `the ${typeof value} ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
};

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;

const countColons = (text: string): number => {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) count++;
    else if (code === QUOTE) i = endOfString(text, i);
  }
  return count;
};

/** The position of the quote that closes the string which opens at `start`. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
};

const countMembers = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") count += countMembers(item);
    return count;
  }
  for (const item of Object.values(value)) {
    count++;
    if (typeof item === "object") count += countMembers(item);
  }
  return count;
};

/** The first key that an object of this valid JSON names twice. Compares every name: slow and plain. */
export const findDuplicateKey = (text: string): string | undefined => {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    // A list gets a set too: it stays empty, for no string in a list is followed by a colon.
    if (char === "{" || char === "[") open.push(new Set());
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const end = endOfString(text, i);
      let next = end + 1;
      while (/\s/.test(text[next] ?? "")) next++;
      if (text[next] === ":") {
        const key = JSON.parse(text.slice(i, end + 1)) as string;
        const keys = open.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end;
    }
  }
  return undefined;
};
