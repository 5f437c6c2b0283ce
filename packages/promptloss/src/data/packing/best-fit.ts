// Packs rows into as few token budgets as best-fit decreasing finds: the longest rows first, each into the pack
// with the least room that still takes it. O(rows × log budget). It decides only which rows go together.
import { PackingError } from "./errors.ts";
import { checkLengths, seededDraw, shuffle, sortedByLength } from "./random.ts";

export interface PackPlan {
  /** Tokens that a pack may hold. */
  readonly budget: number;
  /** Row indices of each pack. */
  readonly packs: readonly Int32Array[];
  /** The share of the packs' room that stays empty, 0 to 1. */
  readonly padding: number;
}

export interface PackOptions {
  readonly budget: number;
  /** Decides among rows of one length and on the order of packs. Give each epoch its own. */
  readonly seed: number;
}

/** Packs by the room that they have left; finds the least room that is enough. */
class RoomIndex {
  readonly #leaves: number;
  /** Number of packs below each node of a binary tree over room 0 to `leaves` - 1; the root is node 1. */
  readonly #counts: Int32Array;
  readonly #packs: number[][];

  constructor(budget: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(budget + 1));
    this.#counts = new Int32Array(2 * this.#leaves);
    this.#packs = Array.from({ length: budget + 1 }, () => []);
  }

  add(pack: number, room: number): void {
    this.#packs[room]!.push(pack);
    this.#count(room, 1);
  }

  /** Takes out a pack with the least room of at least `needed`. */
  take(needed: number): { pack: number; room: number } | undefined {
    let node = this.#leaves + needed;
    while (this.#counts[node] === 0) {
      // Climb until there is a subtree to the right, then look into it.
      while (node > 1 && node % 2 === 1) node >>= 1;
      if (node <= 1) return undefined;
      node++;
    }
    while (node < this.#leaves) {
      node *= 2;
      if (this.#counts[node] === 0) node++;
    }
    const room = node - this.#leaves;
    this.#count(room, -1);
    return { pack: this.#packs[room]!.pop()!, room };
  }

  #count(room: number, change: number): void {
    for (let node = this.#leaves + room; node >= 1; node >>= 1) this.#counts[node]! += change;
  }
}

/**
 * Plans packs of at most `budget` tokens. Every row is in exactly one pack.
 * @param lengths tokens of each row
 * @throws {PackingError} for a row that is longer than the budget
 */
export function planPacks(lengths: ArrayLike<number>, { budget, seed }: PackOptions): PackPlan {
  checkLengths(lengths, "budget", budget);
  const draw = seededDraw(seed);
  const rooms = new RoomIndex(budget);
  const packs: number[][] = [];
  let total = 0;
  for (const row of sortedByLength(lengths, "down", draw)) {
    const length = lengths[row]!;
    total += length;
    const found = rooms.take(length);
    if (found === undefined) {
      packs.push([row]);
      rooms.add(packs.length - 1, budget - length);
    } else {
      packs[found.pack]!.push(row);
      rooms.add(found.pack, found.room - length);
    }
  }
  shuffle(packs, draw);
  const padding = packs.length === 0 ? 0 : 1 - total / (packs.length * budget);
  return { budget, packs: packs.map((rows) => Int32Array.from(rows)), padding };
}

/** @throws {PackingError} when a plan does not hold every one of `rows` rows exactly once */
export function checkPlan(plan: readonly Int32Array[], rows: number): void {
  const seen = new Uint8Array(rows);
  for (const pack of plan) {
    for (const row of pack) {
      if (row < 0 || row >= rows || seen[row] === 1)
        throw new PackingError("packs", `row ${row} is foreign or twice`);
      seen[row] = 1;
    }
  }
  const missing = seen.indexOf(0);
  if (missing >= 0) throw new PackingError("packs", `row ${missing} is in no pack`);
}
