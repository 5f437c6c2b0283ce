// What a token cache depends on, by name, so that a stale one can say what changed. Weights of the policy are
// not part of it: they are computed from classes when rows are read.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Template, TrainedTurns } from "../templates/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** Names of what ids and classes depend on, with a value that changes when it does. */
export type TokenCacheKey = Readonly<Record<string, string>>;

export interface TokenCacheKeyParts {
  /** SHA-256 of each data file by the name that the user gave it; see {@link hashFile}. */
  readonly files: Readonly<Record<string, string>>;
  readonly tokenizer: Pick<Tokenizer, "hash">;
  readonly template: Pick<Template, "fingerprint">;
  readonly turns: TrainedTurns;
  readonly onBadRow: "error" | "skip";
  /** How files become examples: format, columns, limits, mixture. Anything that JSON can write. */
  readonly reading: unknown;
}

export function tokenCacheKey(parts: TokenCacheKeyParts): TokenCacheKey {
  return {
    ...Object.fromEntries(Object.entries(parts.files).map(([name, hash]) => [`file ${name}`, hash])),
    tokenizer: parts.tokenizer.hash,
    template: parts.template.fingerprint,
    turns: JSON.stringify(parts.turns),
    onBadRow: parts.onBadRow,
    "data options": JSON.stringify(parts.reading) ?? "",
  };
}

/** The file in which rows of this key are kept: its name says all that they depend on. */
export function tokenCacheName(key: TokenCacheKey): string {
  const parts = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32)}.tokens`;
}

/** SHA-256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** The names at which two keys differ. */
export function changedParts(before: TokenCacheKey, now: TokenCacheKey): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => before[name] !== now[name])
    .sort();
}
