// What a measuring process is asked and answers. The first request of a case opens it; each one after it asks for a
// round: some optimizer steps, timed by the process itself.
import type { FusedKernel } from "@promptloss/torch";
import type { Case, DRAWN } from "./cases.ts";

export interface OpenRequest extends Case {
  readonly threads: number;
  readonly model: string;
  readonly data: string;
  /** A folder of the case. Our side leaves the rows, `rows.json`, and the adapter, `adapter/`, there for the others. */
  readonly folder: string;
  /** Optimizer steps in all, and in a round. */
  readonly steps: number;
  readonly chunk: number;
  /** LoRA's rank, the rate. */
  readonly rank: number;
  readonly learningRate: number;
  /** Of ours: kernels whose plain twins compute instead. */
  readonly without?: FusedKernel;
}

/** A row as the others read it. */
export interface ExportedRow {
  readonly ids: readonly number[];
  /** Weight of predicting each token. */
  readonly weights: readonly number[];
  /** 1 for a token of the answer. */
  readonly answer: readonly number[];
}

export interface Round {
  readonly seconds: number;
  /** Without padding. */
  readonly tokens: number;
  /** One a step. */
  readonly losses: readonly number[];
  /** The process's highest resident memory in bytes. */
  readonly peak: number;
}

export interface Facts {
  readonly version: string;
  /** Ours: floating-point operations a token of forward and backward products, attention's left out. */
  readonly work?: number;
}

/** Draws a model of a shape into a folder; answered with its `parameters`. */
export interface CreateRequest {
  readonly create: keyof typeof DRAWN;
  readonly folder: string;
  readonly tokenizer: string;
}

/** Asks for the rate of the processor's bfloat16 units, measured for so many seconds. */
export interface PeakRequest {
  readonly peak: number;
}

export interface PeakAnswer {
  /** Floating-point operations a second on all threads, operands in registers; 0 where there are no such units. */
  readonly peak: number;
}
