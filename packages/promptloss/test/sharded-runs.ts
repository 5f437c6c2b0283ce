// Short trainings of a tiny model, alone or by processes that divide what they train: what a test and the ranks that it
// starts compute alike.
import { type DType, noGrad } from "@promptloss/torch";
import fc from "fast-check";
import { type RowSet, RowSubset } from "../src/data/row-subset.ts";
import { WeightedTokens } from "../src/data/tokens/index.ts";
import { parseModelConfig } from "../src/models/config/model-config.ts";
import { heldParameter } from "../src/models/decoder/parts.ts";
import { freezeParameters } from "../src/models/freeze.ts";
import { createAdapter, createModel } from "../src/models/index.ts";
import { recipeSchema } from "../src/recipe/index.ts";
import { BatchPlan } from "../src/training/batches.ts";
import { shardedParameters } from "../src/training/model.ts";
import type { Ranks } from "../src/training/ranks/index.ts";
import type { RunSettings, TrainingRun } from "../src/training/run.ts";
import { Shards } from "../src/training/sharding/index.ts";
import { Trainer } from "../src/training/trainer.ts";
import { TINY_LLAMA } from "./tiny-llama.ts";
import { tinyGolden } from "./tiny-models.ts";
import { anyRow } from "./weighted-rows.ts";

export interface ShardedCase {
  readonly mode: "none" | "optimizer" | "gradients" | "full";
  readonly variant: keyof typeof VARIANTS;
  readonly dtype: DType;
  /** Where its checkpoints lie, below the runs' folder; its place among the cases where left out. */
  readonly folder?: string;
}

interface Variant {
  /** Of the golden models; LLaMA where left out. */
  readonly family?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly settings?: Partial<RunSettings>;
  readonly lora?: true;
  readonly freeze?: string[];
}

export const VARIANTS = {
  plain: {},
  checkpointing: { settings: { gradientCheckpointing: true } },
  lora: { lora: true },
  "lora and KL": { lora: true, settings: { kl: { coefficient: 0.2 }, gradientCheckpointing: true } },
  tied: { config: { tie_word_embeddings: true } },
  "tied, checkpointing, KL": {
    config: { tie_word_embeddings: true },
    settings: { kl: { coefficient: 0.2 }, gradientCheckpointing: true },
  },
  clipping: { settings: { maxGradNorm: 0.1 } },
  "Minkowski 2": { settings: { minkowski: { order: 2, coefficient: 0.05 } } },
  "Minkowski ∞": { settings: { minkowski: { order: Number.POSITIVE_INFINITY, coefficient: 0.05 } } },
  KL: { settings: { kl: { coefficient: 0.2 } } },
  "frozen embedding": { freeze: ["model.embed_tokens.*", "model.layers.1.*"] },
  bfloat16: { settings: { compute: "bfloat16" } },
  "micro-batches by themselves": { settings: { reduceOver: "micro-batch", microBatch: { tokens: 1000 } } },
  "an embedding of another width": { family: "opt-projected" },
  "transposed, with biases": { family: "gpt2" },
  "parallel, untied": { family: "gpt-neox" },
  "experts, checkpointing": { family: "mixtral", settings: { gradientCheckpointing: true } },
} satisfies Record<string, Variant>;

/** Uneven rows, of which some have no trained token and others none that is masked. */
function rowsOf(count: number, seed: number, allTrained: boolean): RowSet {
  const rows = fc.sample(anyRow(12, 32), { seed, numRuns: count }).map((row, place) => {
    const { ids, classes, source } = row;
    if (allTrained) {
      const last = ids.length - 1;
      return WeightedTokens.of({ ids, classes, source, weights: row.weights.with(last, 1) });
    }
    return place % 4 === 1
      ? WeightedTokens.of({ ids, classes, source, weights: new Float32Array(ids.length) })
      : row;
  });
  return {
    length: count,
    lengths: Int32Array.from(rows, ({ length }) => length),
    at: (index) => rows[index]!,
  };
}

export const STEPS = 4;

export interface ShardedRun {
  readonly run: TrainingRun;
  /** The final weights, the adapter's too. */
  weights(): Record<string, number[]>;
}

export function shardedRun({ mode, variant, dtype }: ShardedCase, ranks?: Ranks): ShardedRun {
  const { family, config: changed = {}, settings = {}, lora, freeze }: Variant = VARIANTS[variant];
  const json =
    family === undefined ? { ...TINY_LLAMA, num_hidden_layers: 3, ...changed } : tinyGolden(family).config;
  const config = parseModelConfig(json);
  const recipe = recipeSchema.parse({
    data: "rows.json",
    training: { sharding: mode, ...(freeze && { freeze }) },
    ...(lora && { lora: { rank: 2 } }),
  });
  const shards =
    ranks === undefined || mode === "none"
      ? undefined
      : new Shards({
          ranks,
          mode,
          architecture: config.architecture,
          parameters: new Map(
            [...shardedParameters(config, recipe, dtype)].map(([name, facts]) => [name, { ...facts }]),
          ),
          device: "cpu",
        });
  const place = (name: string, tensor: Parameters<Shards["place"]>[1]) => shards?.place(name, tensor);
  const model = createModel(config, { seed: 3, dtype, place, trainable: lora === undefined });
  if (freeze !== undefined) freezeParameters(model, freeze);
  if (lora) model.adapter = createAdapter(config.architecture, { rank: 2 }, { seed: 4, place });
  if (shards !== undefined && mode !== "optimizer") model.keeper = shards;
  const rows = rowsOf(20, 8, settings.reduceOver === "micro-batch");
  const run: TrainingRun = {
    recipe,
    output: "",
    model,
    shards,
    tokenizer: undefined,
    template: undefined,
    rows: new RowSubset(
      rows,
      Int32Array.from({ length: 16 }, (_, i) => i),
    ),
    heldOut: new RowSubset(rows, Int32Array.of(16, 17, 18, 19)),
    batches: new BatchPlan(
      rows.lengths.slice(0, 16),
      { batchSize: 5, order: "random", seed: 1 },
      { steps: STEPS },
    ),
    promptLossWeight: 0.3,
    settings: {
      normalization: { normalization: "weight-sum", promptShare: 0.3 },
      reduceOver: "batch",
      microBatch: { rows: 2 },
      labelSmoothing: 0,
      reweighting: undefined,
      optimizer: { betas: [0.9, 0.99], epsilon: 1e-4, weightDecay: 0.1 },
      schedule: { schedule: "constant", learningRate: 1e-2, steps: STEPS, warmupSteps: 0 },
      maxGradNorm: 1,
      compute: undefined,
      gradientCheckpointing: false,
      dropout: 0,
      neftuneAlpha: undefined,
      minkowski: undefined,
      kl: undefined,
      logEvery: 1,
      evaluation: { every: "epoch", metric: "weighted_loss", patience: undefined, keepBest: false },
      checkpoints: { every: "epoch", keep: 3 },
      seed: 1,
      ...settings,
    },
    processes: ranks?.size ?? 1,
    fingerprint: "0123456789abcdef",
    dataHash: "",
    modelHash: "",
    referenceHash: undefined,
    forgetting: undefined,
    notes: [],
    free: () => {
      model.free();
      shards?.free();
    },
  };
  const weights = (): Record<string, number[]> => {
    const names = [...model.parameters.keys(), ...(model.adapter?.parameters.keys() ?? [])];
    return Object.fromEntries(
      names.map((name) => [
        name,
        noGrad(() => [
          ...heldParameter(model, name).detach().to({ dtype: "float64" }).toTypedArray("float64"),
        ]),
      ]),
    );
  };
  return { run, weights };
}

export interface ShardedResult {
  /**
   * Of each step and evaluation: loss, and of steps the gradients' norm and the sum of loss and penalty. A divergence is a
   * difference of log-probabilities: its rounding is theirs, however small it is itself.
   */
  readonly numbers: number[];
  readonly weights: Record<string, number[]>;
}

/**
 * Trains from where the folder's checkpoint stopped, to a step.
 * @param saves whether a checkpoint is written there
 */
export function trainedTo(
  which: ShardedCase,
  folder: string,
  { until = STEPS, saves = false, ranks }: { until?: number; saves?: boolean; ranks?: Ranks } = {},
): ShardedResult {
  const { run, weights } = shardedRun(which, ranks);
  const numbers: number[] = [];
  const trainer = new Trainer(run, {
    checkpoints: folder,
    ...(ranks && { ranks }),
    onEvent: (event) => {
      if (event.type === "step")
        numbers.push(event.loss, event.gradientNorm, event.loss + (event.penalty ?? 0));
      if (event.type === "evaluation") numbers.push(event.loss);
    },
  });
  trainer.resume();
  for (const batch of run.batches.from(trainer.state.step)) {
    if (batch.step >= until) break;
    trainer.step(batch);
    trainer.evaluate();
  }
  if (saves) trainer.checkpoint();
  const result = { numbers, weights: weights() };
  trainer[Symbol.dispose]();
  run.free();
  return result;
}
