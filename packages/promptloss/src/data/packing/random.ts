// Seeded orders, equal on every machine.
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { PackingError } from "./errors.ts";

/** Draws whole numbers from 0 to `below` - 1. */
export type Draw = (below: number) => number;

/** @param seed a whole number; its lower 32 bits count */
export function seededDraw(seed: number): Draw {
  if (!Number.isInteger(seed)) throw new PackingError("seed", `${seed} is not a whole number`);
  const generator = xoroshiro128plus(seed);
  return (below) => uniformInt(generator, 0, below - 1);
}

/** Puts items in a random order, in place (Fisher and Yates). */
export function shuffle<T extends { length: number; [index: number]: unknown }>(items: T, draw: Draw): T {
  for (let last = items.length - 1; last > 0; last--) {
    const other = draw(last + 1);
    [items[last], items[other]] = [items[other], items[last]];
  }
  return items;
}

/** Row indices sorted by length; rows of one length in random order. */
export function sortedByLength(lengths: ArrayLike<number>, direction: "up" | "down", draw: Draw): Int32Array {
  const order = shuffle(
    Int32Array.from({ length: lengths.length }, (_, index) => index),
    draw,
  );
  const sign = direction === "up" ? 1 : -1;
  // TypedArray.sort is stable, so ties stay in their random order.
  return order.sort((a, b) => sign * (lengths[a]! - lengths[b]!));
}

/** @throws {PackingError} unless all lengths are whole numbers from 1 to `most` */
export function checkLengths(lengths: ArrayLike<number>, field: string, most: number): void {
  if (!Number.isInteger(most) || most < 1)
    throw new PackingError(field, `${most} is not a whole number of 1 or more`);
  for (let row = 0; row < lengths.length; row++) {
    const length = lengths[row]!;
    if (!Number.isInteger(length) || length < 1)
      throw new PackingError("lengths", `row ${row} has length ${length}`);
    if (length > most) {
      throw new PackingError(
        field,
        `row ${row} has ${length} tokens, more than the ${most} there is room for`,
        {
          hint: `Raise ${field}, or set overflow so that no row is longer.`,
        },
      );
    }
  }
}
