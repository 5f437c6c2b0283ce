// Which rows each optimizer step sees. Pure and the same for a seed, so that a run can go on from any step without
// reading those before it.
import { planPacks } from "../data/packing/index.ts";
import { checkLengths, seededDraw, shuffle, sortedByLength } from "../data/packing/random.ts";
import type { RowSet } from "../data/row-subset.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { TrainingError } from "./errors.ts";

export interface BatchSettings {
  /** Rows in an optimizer step. Exactly one of this and `batchTokens`. */
  readonly batchSize?: number | undefined;
  /** The most tokens in an optimizer step. */
  readonly batchTokens?: number | undefined;
  /** Rows of a step drawn from all, of similar length, or in the order of the data in every epoch. */
  readonly order: "random" | "length" | "as-given";
  readonly seed: number;
}

/** How long a run is: by passes over the data, or by steps. */
export type RunLength = { readonly epochs: number } | { readonly steps: number };

export interface TrainingBatch {
  /** From 0. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  /** Indices of rows. */
  readonly rows: Int32Array;
}

/** The batches of a run. */
export class BatchPlan {
  /** Optimizer steps of the run. */
  readonly steps: number;
  readonly epochs: number;
  readonly #lengths: Int32Array;
  readonly #settings: BatchSettings;
  /** The first step of each epoch, and the end. */
  readonly #starts: readonly number[];

  /** @throws {TrainingError} for no rows, and for settings that make no sense */
  constructor(lengths: Int32Array, settings: BatchSettings, length: RunLength) {
    checkSettings(lengths, settings);
    this.#lengths = lengths;
    this.#settings = settings;
    const starts = [0];
    const most = "steps" in length ? length.steps : Number.POSITIVE_INFINITY;
    const epochs = "epochs" in length ? length.epochs : Number.POSITIVE_INFINITY;
    while (starts.length - 1 < epochs && starts.at(-1)! < most)
      starts.push(starts.at(-1)! + this.#countOf(starts.length - 1));
    this.#starts = starts;
    this.epochs = starts.length - 1;
    this.steps = Math.min(most, starts.at(-1)!);
  }

  /** The batches from a step on. */
  *from(step: number): Generator<TrainingBatch> {
    for (let epoch = 0; epoch < this.epochs; epoch++) {
      const first = this.#starts[epoch]!;
      if (this.#starts[epoch + 1]! <= step) continue;
      for (const [i, rows] of epochBatches(this.#lengths, this.#settings, epoch).entries()) {
        if (first + i >= this.steps) return;
        if (first + i >= step) yield { step: first + i, epoch, rows };
      }
    }
  }

  /** Whether a step is the last of its epoch. */
  endsEpoch(step: number): boolean {
    return this.#starts.includes(step + 1) || step === this.steps - 1;
  }

  #countOf(epoch: number): number {
    const { batchSize } = this.#settings;
    return batchSize === undefined
      ? epochBatches(this.#lengths, this.#settings, epoch).length
      : Math.ceil(this.#lengths.length / batchSize);
  }
}

/** Large and odd, so that epochs of neighboring seeds don't share their orders. */
const EPOCH_STRIDE = 1_000_003;

/** One epoch's batches: every row in exactly one. */
export function epochBatches(
  lengths: Int32Array,
  {
    batchSize = Number.POSITIVE_INFINITY,
    batchTokens = Number.POSITIVE_INFINITY,
    order,
    seed,
  }: BatchSettings,
  epoch: number,
): Int32Array[] {
  const draw = seededDraw(seed + epoch * EPOCH_STRIDE);
  const given = Int32Array.from(lengths, (_, row) => row);
  const sequences = {
    random: () => shuffle(given, draw),
    length: () => sortedByLength(lengths, "up", draw),
    "as-given": () => given,
  } as const;
  const sequence = sequences[order]();
  const batches: Int32Array[] = [];
  let [from, tokens] = [0, 0];
  sequence.forEach((row, at) => {
    if (at - from >= batchSize || (at > from && tokens + lengths[row]! > batchTokens)) {
      batches.push(sequence.subarray(from, at));
      [from, tokens] = [at, 0];
    }
    tokens += lengths[row]!;
  });
  if (from < sequence.length) batches.push(sequence.subarray(from));
  return order === "length" ? shuffle(batches, draw) : batches;
}

/** Tokens that are computed at one time where nothing else is said. */
export const DEFAULT_MICRO_BATCH_TOKENS = 4096;

/** Rows in their order, in groups of at most so many tokens. A row longer than that has a group of its own. */
export function* consecutive(
  rows: Pick<RowSet, "at" | "length">,
  budget = DEFAULT_MICRO_BATCH_TOKENS,
): Generator<WeightedTokens[]> {
  let group: WeightedTokens[] = [];
  let tokens = 0;
  for (let index = 0; index < rows.length; index++) {
    const row = rows.at(index);
    if (group.length > 0 && tokens + row.length > budget) {
      yield group;
      [group, tokens] = [[], 0];
    }
    group.push(row);
    tokens += row.length;
  }
  if (group.length > 0) yield group;
}

/** How a step's rows are split for the memory that there is. Exactly one of the two. */
export type MicroBatchSettings = { readonly tokens: number } | { readonly rows: number };

/** A step's rows in groups that are computed at one time. A row longer than the budget has a group of its own. */
export function microBatches(
  rows: readonly WeightedTokens[],
  settings: MicroBatchSettings,
): WeightedTokens[][] {
  if ("rows" in settings) {
    const size = settings.rows;
    return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
      rows.slice(i * size, (i + 1) * size),
    );
  }
  const lengths = rows.map(({ length }) => length);
  const budget = lengths.reduce((most, length) => Math.max(most, length), settings.tokens);
  return planPacks(lengths, { budget, seed: 0 }).packs.map((pack) => Array.from(pack, (row) => rows[row]!));
}

function checkSettings(lengths: Int32Array, { batchSize, batchTokens }: BatchSettings): void {
  if (lengths.length === 0)
    throw new TrainingError("there are no rows to train on", {
      hint: "look at the data with promptloss inspect",
    });
  if ((batchSize === undefined) === (batchTokens === undefined))
    throw new TrainingError("training needs either batchSize or batchTokens, and not both");
  for (const [name, value] of Object.entries({ batchSize, batchTokens }))
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw new TrainingError(`training.${name}: ${value} is not a whole number of 1 or more`);
  checkLengths(lengths, "batchTokens", batchTokens ?? Number.MAX_SAFE_INTEGER);
}
