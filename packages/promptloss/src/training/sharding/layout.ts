// How parameters that are used together lie as one vector, which processes divide: end to end, filled up so that all
// parts are equally long. Pure.
import { numelOf } from "../../models/config/parameters.ts";

export interface ParameterPlace {
  readonly name: string;
  readonly shape: readonly number[];
  readonly numel: number;
  /** Of its first element in the vector. */
  readonly at: number;
}

export interface FlatLayout {
  readonly places: readonly ParameterPlace[];
  /** Elements of each process's part. */
  readonly share: number;
}

/** The elements of a parameter that a process has: [begin, end) of the flattened parameter. */
export interface Piece {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
  /** Of the first in the process's part. */
  readonly at: number;
}

export function layoutOf(parameters: ReadonlyMap<string, readonly number[]>, processes: number): FlatLayout {
  let at = 0;
  const places = [...parameters].map(([name, shape]): ParameterPlace => {
    const numel = numelOf(shape);
    const place = { name, shape, numel, at };
    at += numel;
    return place;
  });
  return { places, share: Math.ceil(at / processes) };
}

/** Of one process. The pieces of all make up every parameter. */
export function piecesOf({ places, share }: FlatLayout, rank: number): Piece[] {
  const [from, to] = [rank * share, (rank + 1) * share];
  return places.flatMap(({ name, numel, at }) => {
    const [begin, end] = [Math.max(0, from - at), Math.min(numel, to - at)];
    return begin < end ? [{ name, begin, end, at: at + begin - from }] : [];
  });
}
