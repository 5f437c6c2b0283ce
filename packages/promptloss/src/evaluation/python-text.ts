// Characters as Python's str and re have them, which scores of Python's tools rest on. JavaScript's \s and trim take
// U+FEFF for white space and leave out U+001C to U+001F and U+0085; its \b and \w know ASCII alone. Lower case is the
// same in both. Held to Python for every code point: goldens/python-text.json.

/** What str.isspace, str.split, str.strip and \s count as white space, for a class of a regular expression. */
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const SPACES = new RegExp(`[${SPACE}]+`, "gu");
const LEADING = new RegExp(`^[${SPACE}]+`, "u");
const TRAILING = new RegExp(`[${SPACE}]+$`, "u");

/** \w, for a class of a regular expression with the flag u: letters, numbers of all kinds, the underscore. */
export const WORD = "\\p{L}\\p{N}_";

/** string.punctuation. */
export const PUNCTUATION: ReadonlySet<string> = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

/** str.split(). */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== "");
}

/** "".join(str.split()). */
export function withoutSpaces(text: string): string {
  return text.replaceAll(SPACES, "");
}

/** str.rstrip(). */
export function stripEnd(text: string): string {
  return text.replace(TRAILING, "");
}

/** str.strip(). */
export function strip(text: string): string {
  return stripEnd(text.replace(LEADING, ""));
}
