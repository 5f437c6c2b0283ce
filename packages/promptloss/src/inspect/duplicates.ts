// Rows that say the same again. Kept as 64-bit hashes: a million rows have a false duplicate once in 37 million data
// sets of that size.
import { createHash } from "node:crypto";
import type { Example } from "../data/example.ts";

export interface Duplicates {
  /** Rows whose prompt and completion an earlier row has. */
  readonly rows: number;
  /** Rows whose prompt an earlier row has, with whatever completion. */
  readonly prompts: number;
}

const hash = (text: string): bigint => createHash("sha1").update(text).digest().readBigUInt64LE();

export class DuplicateCounter {
  readonly #rows = new Set<bigint>();
  readonly #prompts = new Set<bigint>();
  #count = 0;
  #prompted = 0;

  add(example: Example): void {
    const [prompt, whole] = textsOf(example);
    this.#count++;
    this.#rows.add(hash(whole));
    if (prompt === undefined) return;
    this.#prompted++;
    this.#prompts.add(hash(prompt));
  }

  finish(): Duplicates {
    return { rows: this.#count - this.#rows.size, prompts: this.#prompted - this.#prompts.size };
  }
}

/** The prompt (undefined where there is none) and the whole row, each as one string. */
const textsOf = (example: Example): [string | undefined, string] => {
  if (example.kind === "text") return [undefined, example.text];
  if (example.kind === "tokens") return [undefined, example.inputIds.join(" ")];
  const turns = example.turns.map(({ role, parts }) =>
    JSON.stringify([role, ...parts.map(({ text }) => text)]),
  );
  const last = example.turns.findLastIndex(({ role }) => role === "assistant");
  return [turns.slice(0, last).join("\n"), turns.join("\n")];
};
