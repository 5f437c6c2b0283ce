// Edit distance of words with its trace, searched in a beam about the diagonal as Tercom does. Of equal edits a kept
// or substituted word comes first, then a deletion, then an insertion.

const BEAM = 25;
const KEEP = 0;
const SUBSTITUTE = 1;
const DELETE = 2;
const INSERT = 3;

export class EditTable {
  readonly distance: number;
  readonly #operations: Uint8Array;
  readonly #given: number;
  readonly #wanted: number;

  /** @param given the hypothesis @param wanted the reference, one word at least */
  constructor(given: readonly string[], wanted: readonly string[]) {
    const width = wanted.length + 1;
    const costs = new Float64Array((given.length + 1) * width).fill(Number.POSITIVE_INFINITY);
    const operations = new Uint8Array(costs.length);
    for (let j = 0; j < width; j++) {
      costs[j] = j;
      operations[j] = INSERT;
    }
    const ratio = given.length > 0 ? wanted.length / given.length : 1;
    const beam = BEAM < ratio / 2 ? Math.ceil(ratio / 2 + BEAM) : BEAM;
    for (let i = 1; i <= given.length; i++) {
      const diagonal = Math.floor(i * ratio);
      const end = i === given.length ? width : Math.min(width, diagonal + beam);
      for (let j = Math.max(0, diagonal - beam); j < end; j++) {
        const at = i * width + j;
        const consider = (cost: number, operation: number): void => {
          if (cost < costs[at]!) [costs[at], operations[at]] = [cost, operation];
        };
        if (j > 0) {
          const same = given[i - 1] === wanted[j - 1];
          consider(costs[at - width - 1]! + (same ? 0 : 1), same ? KEEP : SUBSTITUTE);
        }
        consider(costs[at - width]! + 1, DELETE);
        if (j > 0) consider(costs[at - 1]! + 1, INSERT);
      }
    }
    this.distance = costs.at(-1)!;
    this.#operations = operations;
    this.#given = given.length;
    this.#wanted = wanted.length;
  }

  /** From the first words to the last. */
  trace(): number[] {
    const operations: number[] = [];
    for (let i = this.#given, j = this.#wanted; i > 0 || j > 0; ) {
      const operation = this.#operations[i * (this.#wanted + 1) + j]!;
      operations.push(operation);
      if (operation !== INSERT) i--;
      if (operation !== DELETE) j--;
    }
    return operations.reverse();
  }
}

/** What a trace says of the words of both sides. */
export interface Alignment {
  /** For each word of the reference the place in the hypothesis that it stands for, or that it would come behind. */
  readonly places: readonly number[];
  readonly wrongGiven: readonly boolean[];
  readonly wrongWanted: readonly boolean[];
}

export function alignment(trace: readonly number[]): Alignment {
  const places: number[] = [];
  const wrongGiven: boolean[] = [];
  const wrongWanted: boolean[] = [];
  for (const operation of trace) {
    const wrong = operation !== KEEP;
    if (operation !== INSERT) wrongGiven.push(wrong);
    if (operation === DELETE) continue;
    wrongWanted.push(wrong);
    places.push(wrongGiven.length - 1);
  }
  return { places, wrongGiven, wrongWanted };
}
