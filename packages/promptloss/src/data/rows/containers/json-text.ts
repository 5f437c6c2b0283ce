// One row's JSON: V8's parser, plus the duplicate keys that it would drop in silence.
import { RowProblem } from "../data-error.ts";
import { keepSource } from "../json-source.ts";
import { decodeRow } from "./utf8.ts";

/** The record in a row's bytes; `start` is their offset in the file's text. @throws {RowProblem} */
export function parseJsonRow(bytes: Buffer, start: number): Record<string, unknown> {
  const text = decodeRow(bytes, start);
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RowProblem("not-an-object", `a row is an object with named fields, found ${kindOf(value)}`);
  }
  // Only such fields are written out again.
  if (text.includes('"tool') || text.includes('"function')) keepSource(text, value);
  return value as Record<string, unknown>;
}

/** Levels of brackets; a row of data has a handful, and what walks it need not be ready for a million. */
const MAX_DEPTH = 256;

/**
 * Parses JSON and refuses an object that names a key twice. `NaN`, `Infinity` and `-Infinity`, which Python writes, are
 * those numbers: whoever reads such a field says so, and a field that nobody reads does no harm.
 * @throws {RowProblem}
 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > MAX_DEPTH)
    throw new RowProblem("invalid-json", `nested more than ${MAX_DEPTH} levels deep`);
  const value = parsed(text);
  // Every member is written with one colon, so a document without duplicates has as many colons outside its
  // strings as its value has members; names are only looked at where the counts differ.
  if (countColons(text) !== countMembers(value)) {
    const key = findDuplicateKey(text);
    throw new RowProblem("duplicate-key", `the key ${JSON.stringify(key)} stands twice in one object`, {
      field: key,
    });
  }
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const python = withPythonNumbers(text);
    if (python !== undefined) return python.value;
    throw new RowProblem("invalid-json", `not JSON: ${(error as Error).message}`);
  }
}

const PYTHON_NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** Undefined where the text has no such number, or isn't JSON with them either. */
function withPythonNumbers(text: string): { value: unknown } | undefined {
  let mark = "number";
  while (text.includes(mark)) mark += "#";
  let found = false;
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity\b|\bNaN\b/gs, (token) => {
    if (token.startsWith('"')) return token;
    found = true;
    return `"${mark}${token}"`;
  });
  if (!found) return undefined;
  try {
    const value = JSON.parse(marked, (_, each: unknown) =>
      typeof each === "string" && each.startsWith(mark) ? PYTHON_NUMBERS[each.slice(mark.length)] : each,
    );
    return { value };
  } catch {
    return undefined;
  }
}

/** The most brackets open at once, strings left out. */
function depthOf(text: string): number {
  // Most rows are too short of brackets for it to matter.
  if (text.length <= MAX_DEPTH) return 0;
  let [depth, most] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OPEN_LIST || code === OPEN_OBJECT) most = Math.max(most, ++depth);
    else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
  }
  return most;
}

/** Whether the text is one object or list and more behind it, with nothing but white space between. */
export function hasSeveralValues(bytes: Buffer): boolean {
  const text = bytes.toString("utf8");
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
    else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      if (--depth > 0) continue;
      const rest = text.slice(i + 1).trimStart();
      return depth === 0 && /^[{[]/.test(rest) && isJson(text.slice(0, i + 1));
    }
  }
  return false;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What a value is, in words for an error. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `the ${typeof value} ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`;
}

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

function countColons(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) count++;
    else if (code === QUOTE) i = endOfString(text, i);
  }
  return count;
}

/** The position of the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function countMembers(value: unknown): number {
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
}

/** The first key that an object of this valid JSON names twice. Compares every name: slow and plain. */
export function findDuplicateKey(text: string): string | undefined {
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
}
