// Objects and lists of a row as JSON text. What a row spells 1.0, 12345678901234567890 or {"10": …, "9": …} JavaScript holds
// as 1, another number and another order, and a chat template would write those: where a row has such spellings, the text
// of its objects and lists is kept beside them.

const kept = new WeakMap<object, string>();

/** What JSON.parse does not give back as it was: a point or exponent in a number, many digits, a key of digits. */
const LOSSY = /\d\.\d|\d[eE][+-]?\d|\d{16}|-0|"\d+"\s*:/;

/**
 * Remembers how the objects and lists inside a value were spelled, where that says more than they do.
 * @param text valid JSON without duplicate keys
 * @param value what JSON.parse made of it
 */
export function keepSource(text: string, value: unknown): void {
  if (LOSSY.test(text)) walk(text, skipSpace(text, 0), value);
}

/** The JSON text of an object or list of a row. */
export function jsonTextOf(value: unknown): string {
  return (typeof value === "object" && value !== null ? kept.get(value) : undefined) ?? written(value);
}

/** JSON as JSON.stringify writes it, with Parquet's 64-bit integers as numbers. */
function written(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(jsonTextOf).join(",")}]`;
  if (ArrayBuffer.isView(value)) return `[${Array.from(value as Float64Array, written).join(",")}]`;
  const members = Object.entries(value).flatMap(([key, each]) =>
    each === undefined ? [] : [`${JSON.stringify(key)}:${jsonTextOf(each)}`],
  );
  return `{${members.join(",")}}`;
}

/** Follows the text along the value; returns the position behind it. */
function walk(text: string, start: number, value: unknown): number {
  if (typeof value !== "object" || value === null) return endOfScalar(text, start);
  let at = skipSpace(text, start + 1);
  for (let index = 0; text[at] !== "]" && text[at] !== "}"; index++) {
    let member: unknown;
    if (Array.isArray(value)) member = value[index];
    else {
      const end = endOfScalar(text, at);
      member = (value as Record<string, unknown>)[JSON.parse(text.slice(at, end)) as string];
      at = skipSpace(text, skipSpace(text, end) + 1);
    }
    at = skipSpace(text, walk(text, at, member));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  kept.set(value, text.slice(start, at + 1));
  return at + 1;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (" \t\r\n".includes(text[at] ?? "x")) at++;
  return at;
}

const SCALAR = /"(?:[^"\\]|\\.)*"|[^\s,\]}]+/sy;

function endOfScalar(text: string, start: number): number {
  SCALAR.lastIndex = start;
  return start + (SCALAR.exec(text)?.[0].length ?? 1);
}
