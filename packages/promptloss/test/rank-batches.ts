// Batches that a test and the ranks that it starts draw alike, and what is measured of them.
import type { DType } from "@promptloss/torch";
import fc from "fast-check";
import { WeightedTokens } from "../src/data/tokens/index.ts";
import { NORMALIZATIONS, reweightingOf } from "../src/loss/index.ts";
import { type AccumulateSettings, accumulate } from "../src/training/accumulate.ts";
import { clearGradients } from "../src/training/gradients.ts";
import { KlPenalty } from "../src/training/penalties/kl.ts";
import { tinyLlama } from "./tiny-llama.ts";
import { anyRows } from "./weighted-rows.ts";

export interface DrawnBatch {
  readonly rows: WeightedTokens[];
  /** Of each row: a number that says which rank has it. */
  readonly splits: number[];
  readonly settings: AccumulateSettings;
}

/** Each with every normalization: some classes of tokens have denominators of their own, none, or all. */
const OWN = [undefined, "all", ["tool-result", "template"]] as const;

/** None, of each token by itself, and of all tokens of a batch. */
const REWEIGHTINGS = [
  undefined,
  reweightingOf({ rule: "eaft" }),
  reweightingOf({ rule: "rho-1" }),
  reweightingOf({ rule: "prift-prob" }),
  reweightingOf({ rule: "rho-1", options: { ratio: 0.3 } }),
];

/** Uneven, partly masked rows, cut into micro-batches of all sizes, of every normalization in turn. */
export function drawnBatches(seed: number, count: number): DrawnBatch[] {
  const batch = fc.record({
    rows: anyRows(),
    splits: fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
    masked: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
    microBatch: fc.oneof(
      fc.record({ tokens: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ rows: fc.integer({ min: 1, max: 4 }) }),
    ),
  });
  return fc.sample(batch, { seed, numRuns: count }).map(({ rows, splits, masked, microBatch }, index) => ({
    // The first row has what every normalization needs.
    rows: rows
      .map((row, place) => (place > 0 && masked[place] ? untrained(row) : row))
      // What a reference model might make of them: cross entropies of 0 to 3 nats.
      .map((row) => row.withReference(Float32Array.from(row.ids, (id) => (id % 7) / 2))),
    splits,
    settings: {
      normalization: {
        normalization: NORMALIZATIONS[index % NORMALIZATIONS.length]!,
        promptShare: 0.3,
        ownDenominator: OWN[Math.floor(index / NORMALIZATIONS.length) % OWN.length],
      },
      scope: "batch",
      microBatch,
      reweighting: REWEIGHTINGS[index % REWEIGHTINGS.length],
    },
  }));
}

function untrained({ ids, classes, source }: WeightedTokens): WeightedTokens {
  return WeightedTokens.of({ ids, classes, weights: new Float32Array(ids.length), source });
}

export interface MeasuredBatch {
  readonly loss: number;
  readonly penalty: number;
  readonly sums: unknown;
  readonly gradients: Record<string, number[]>;
}

/** The loss, with a KL penalty on a model that has moved, and all gradients. */
export function measured(
  dtype: DType,
  rows: readonly WeightedTokens[],
  settings: AccumulateSettings,
): MeasuredBatch {
  const model = tinyLlama({ dtype });
  using kl = new KlPenalty(tinyLlama({ dtype, seed: 2 }), { coefficient: 0.1 });
  clearGradients(model.parameters.values());
  const { loss, penalty, sums } = accumulate(model, rows, { ...settings, kl }, true);
  const gradients = Object.fromEntries(
    [...model.parameters].map(([name, tensor]) => {
      using gradient = tensor.grad!;
      return [name, [...gradient.to({ dtype: "float64" }).toTypedArray("float64")]];
    }),
  );
  model.free();
  return { loss, penalty, sums, gradients };
}
