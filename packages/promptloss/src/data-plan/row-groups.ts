// Which rows belong together when some are held out: rows about one thing, of which a model that has seen one knows
// part of the other. Pure.
import { createHash } from "node:crypto";
import { TOKEN_CLASSES } from "../data/example.ts";
import type { RowSet } from "../data/row-subset.ts";
import { PART_OF_CODE } from "../data/token-parts.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";

const CODE = Object.fromEntries(TOKEN_CLASSES.map((name, code) => [name, code])) as Record<
  (typeof TOKEN_CLASSES)[number],
  number
>;

/**
 * What a row shares with the others of its group: its `group` field; its input, or the prompt of its first completion
 * where it has no input; the whole row where it has no instruction either.
 */
export function groupKeys({ ids, classes, source }: WeightedTokens): string[] {
  const keys = source.group === undefined ? [] : [`group ${source.group}`];
  const input = ids.filter((_, i) => classes[i] === CODE.input);
  if (input.length > 0) return [...keys, `input ${hashOf(input)}`];
  const end = classes.findIndex((code) => PART_OF_CODE[code] !== "prompt");
  const prompt = ids.subarray(0, end < 0 ? undefined : end);
  const isAsked = classes.subarray(0, prompt.length).includes(CODE.instruction);
  return [...keys, isAsked ? `prompt ${hashOf(prompt)}` : `row ${hashOf(ids)}`];
}

function hashOf(ids: Int32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
    .digest("base64");
}

/** Rows that share a key, directly or through others: indices, each row in one group, in the order of the rows. */
export function groupRows(rows: RowSet): Int32Array[] {
  const parents = Int32Array.from({ length: rows.length }, (_, row) => row);
  const rootOf = (row: number): number => {
    let root = row;
    while (parents[root] !== root) root = parents[root]!;
    // The way is made short for the next who asks.
    for (let at = row; at !== root; ) {
      const next = parents[at]!;
      parents[at] = root;
      at = next;
    }
    return root;
  };
  const first = new Map<string, number>();
  for (let row = 0; row < rows.length; row++)
    for (const key of groupKeys(rows.at(row))) {
      const other = first.get(key);
      if (other === undefined) first.set(key, row);
      // The lower row stays the root, so that groups come in the order of their first rows.
      else {
        const [a, b] = [rootOf(row), rootOf(other)];
        parents[Math.max(a, b)] = Math.min(a, b);
      }
    }
  const members = new Map<number, number[]>();
  for (let row = 0; row < rows.length; row++) {
    const root = rootOf(row);
    const group = members.get(root);
    if (group === undefined) members.set(root, [row]);
    else group.push(row);
  }
  return [...members.values()].map((group) => Int32Array.from(group));
}

/** How many of some rows share a key with others. */
export function countShared(rows: RowSet, others: RowSet): number {
  const keys = new Set<string>();
  for (let row = 0; row < others.length; row++) for (const key of groupKeys(others.at(row))) keys.add(key);
  let count = 0;
  for (let row = 0; row < rows.length; row++)
    if (groupKeys(rows.at(row)).some((key) => keys.has(key))) count++;
  return count;
}
