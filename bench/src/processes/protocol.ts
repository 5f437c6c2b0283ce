// What the bench of several processes asks a rank, and what the rank answers.

export const MODES = ["none", "optimizer", "gradients", "full"] as const;

export type Mode = (typeof MODES)[number];

export interface RankRequest {
  /** The recipe as an object. */
  readonly recipe: object;
  readonly steps: number;
}

/** Bytes of one process. */
export interface Bytes {
  readonly weights: number;
  /** Weights that were gathered at one time. */
  readonly gathered: number;
  readonly gradients: number;
  readonly moments: number;
}

export interface RankAnswer {
  readonly bytes: Bytes;
  /** As the plan's formula has it. */
  readonly formula: {
    readonly weights: number;
    readonly gradients: number;
    readonly optimizer: number;
    readonly activations: number;
  };
  /** Resident before there was a model, and the most in the measured steps. */
  readonly resident: { readonly before: number; readonly peak: number };
  /** Of each measured step. */
  readonly seconds: readonly number[];
  readonly waited: readonly number[];
  readonly tokens: readonly number[];
  readonly losses: readonly number[];
}
