// What JSON calls an object, its values by their paths, and where one ends in a text.

export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Values by their dotted paths; lists are one value, and what is undefined is left out. */
export function leavesOf(value: Readonly<JsonObject>, before = ""): Map<string, unknown> {
  const all = new Map<string, unknown>();
  for (const [key, each] of Object.entries(value)) {
    const path = `${before}${key}`;
    if (isJsonObject(each)) for (const [below, leaf] of leavesOf(each, `${path}.`)) all.set(below, leaf);
    else if (each !== undefined) all.set(path, each);
  }
  return all;
}

/** Behind the brace that closes the one at `start`, strings passed over; undefined where it does not end. */
export function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const char = text[i];
    if (char === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
    } else if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return i + 1;
  }
  return undefined;
}
