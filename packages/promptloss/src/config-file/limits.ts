// How large a file of settings may be. Far above what people write, and low enough that reading, checking and printing
// take no time that one would notice, whatever the file holds.

export const LIMITS = {
  /** Of the text. */
  bytes: 1 << 18,
  /** Pieces of the text: names, values, brackets, line breaks. The parser takes some 20 µs for each. */
  pieces: 100_000,
  /** Values, with each alias counted as all that it stands for. */
  values: 100_000,
  /** Lists and mappings within each other. */
  depth: 64,
  /** Characters of a key or value that a message quotes. */
  quoted: 80,
} as const;

/** Text for a message: cut where it is long. */
export function clipped(text: string): string {
  return text.length <= LIMITS.quoted ? text : `${text.slice(0, LIMITS.quoted)}…`;
}
