// Rows that say the same again. Kept as 64-bit hashes: a million rows have a false duplicate once in 37 million data
// sets of that size.
import type { Example, Turn } from "../data/example.ts";
import { HashSet, TextHash } from "./text-hash.ts";

export interface Duplicates {
  /** Rows whose prompt and completion an earlier row has. */
  readonly rows: number;
  /** Rows whose prompt an earlier row has, with whatever completion. */
  readonly prompts: number;
}

export class DuplicateCounter {
  readonly #rows = new HashSet();
  readonly #prompts = new HashSet();
  #count = 0;
  #prompted = 0;

  add(example: Example): void {
    this.#count++;
    const hash = new TextHash();
    if (example.kind === "text") hash.add(example.text);
    else if (example.kind === "tokens") hash.add(example.inputIds.join(" "));
    else {
      const { turns, tools = [] } = example;
      for (const tool of tools) hash.add(tool);
      const last = turns.findLastIndex(({ role }) => role === "assistant");
      for (const turn of turns.slice(0, last)) addTurn(hash, turn);
      this.#prompted++;
      this.#prompts.add(hash.value);
      for (const turn of turns.slice(last)) addTurn(hash, turn);
    }
    this.#rows.add(hash.value);
  }

  finish(): Duplicates {
    return { rows: this.#count - this.#rows.size, prompts: this.#prompted - this.#prompts.size };
  }
}

function addTurn(hash: TextHash, { role, parts, reasoning, toolCalls }: Turn): void {
  hash.add(role).add(String(parts.length));
  for (const { text } of parts) hash.add(text);
  if (reasoning !== undefined) hash.add(reasoning);
  for (const { name, arguments: given } of toolCalls ?? []) hash.add(name).add(given);
}
