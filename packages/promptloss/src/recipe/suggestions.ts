// Settings to begin with for some rows and a model, where nothing else is known: those of `promptloss init` and of the
// studio's form. Pure.

/** Models above this many parameters get an adapter: their optimizer's state alone would be 12 bytes for each. */
const LARGE = 1e9;

/** Models below this many learn little at the rates of large ones. */
const SMALL = 1e8;

/** Rows from which some can be spared to measure the run by. */
const ENOUGH = 20;

export interface SuggestedSettings {
  readonly epochs: number;
  /** Rows per step. */
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: "cosine";
  readonly warmupRatio: number;
  /** The rank of a low-rank adapter; undefined where the model's own weights are trained. */
  readonly loraRank: number | undefined;
  /** The share of the rows that is held out; undefined where they are too few. */
  readonly heldOut: number | undefined;
}

/** @param parameters of the model, where they are known */
export function suggestedSettings(rows: number, parameters: number | undefined): SuggestedSettings {
  const isLarge = parameters !== undefined && parameters > LARGE;
  const isSmall = parameters !== undefined && parameters < SMALL;
  return {
    epochs: 3,
    batchSize: Math.max(1, Math.min(32, Math.floor(rows / 10))),
    learningRate: isLarge ? 2e-4 : isSmall ? 3e-4 : 2e-5,
    schedule: "cosine",
    warmupRatio: 0.03,
    loraRank: isLarge ? 8 : undefined,
    heldOut: rows >= ENOUGH ? 0.1 : undefined,
  };
}
