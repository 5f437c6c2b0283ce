// Names of what clients create. They are drawn here, never taken from a request, so that no request names a path.
import { randomBytes } from "node:crypto";

/** `file-…`, `ftjob-…`, `ftevent-…`: 24 hexadecimal digits behind the kind. */
export function newId(kind: string): string {
  return `${kind}-${randomBytes(12).toString("hex")}`;
}

/** Whether a text may be an id of this kind, which is what makes it part of a path. */
export function isId(text: string, kind: string): boolean {
  return new RegExp(`^${kind}-[0-9a-f]{24}$`).test(text);
}

/** Seconds since 1970, as OpenAI's objects have them. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}
