// One optimizer step's gradients: the loss is reduced over the whole batch, however many micro-batches compute it.
import { type DType, scope } from "@promptloss/torch";
import { PackedTokens } from "../data/packing/index.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import {
  addPartSums,
  emptyPartSums,
  lossFactors,
  lossTotals,
  type NormalizationSettings,
  type PartSums,
  type Reweighting,
  totalSums,
} from "../loss/index.ts";
import type { CausalLanguageModel, ForwardOptions } from "../models/decoder/model.ts";
import { type PackLossFunction, packLoss } from "../models/index.ts";
import { type MicroBatchSettings, microBatches } from "./batches.ts";
import type { KlPenalty } from "./penalties/kl.ts";
import type { RunSettings } from "./run.ts";

export interface AccumulateSettings {
  readonly normalization: NormalizationSettings;
  /** What a normalization counts over: the whole batch, or each micro-batch, whose losses are then averaged. */
  readonly scope: "batch" | "micro-batch";
  readonly microBatch: MicroBatchSettings;
  readonly labelSmoothing?: number | undefined;
  readonly reweighting?: Reweighting | undefined;
  readonly compute?: DType | undefined;
  readonly forward?: ForwardOptions | undefined;
  readonly kl?: KlPenalty | undefined;
  /** In place of {@link packLoss}. */
  readonly loss?: PackLossFunction | undefined;
}

export interface BatchLoss {
  /** The weighted, normalized loss, without penalties. */
  readonly loss: number;
  /** What `kl` added, its coefficient included. */
  readonly penalty: number;
  readonly sums: PartSums;
}

/**
 * Adds the gradients of a batch's loss to the parameters' own.
 * @param measureAll measure tokens of weight 0 too
 * @throws LossError where the batch has no token that is trained on
 */
export function accumulate(
  model: CausalLanguageModel,
  rows: readonly WeightedTokens[],
  settings: AccumulateSettings,
  measureAll: boolean,
): BatchLoss {
  const { loss: lossOf = packLoss } = settings;
  const groups = microBatches(rows, settings.microBatch);
  const whole =
    settings.scope === "batch" ? lossFactors(lossTotals(rows), settings.normalization) : undefined;
  const sums = emptyPartSums();
  let [loss, penalty] = [0, 0];
  for (const group of groups)
    scope(() => {
      const factors = whole ?? averaged(group, settings.normalization, groups.length);
      const pack = PackedTokens.of(group);
      const result = lossOf(model, pack, { ...settings, factors, measureAll });
      const kl = settings.kl?.of(model, pack, result.hidden, rows, settings.compute);
      (kl === undefined ? result.loss : result.loss.add(kl)).backward();
      loss += result.loss.item();
      penalty += kl?.item() ?? 0;
      addPartSums(sums, totalSums(result.rows));
    });
  return { loss, penalty, sums };
}

function averaged(group: readonly WeightedTokens[], settings: NormalizationSettings, groups: number) {
  const { prompt, completion } = lossFactors(lossTotals(group), settings);
  return { prompt: prompt / groups, completion: completion / groups };
}

/** A run's settings as `accumulate` takes them, for training. */
export function accumulateSettings(
  settings: RunSettings,
  { kl, loss }: Pick<AccumulateSettings, "kl" | "loss"> = {},
): AccumulateSettings {
  const { dropout, neftuneAlpha, gradientCheckpointing } = settings;
  return {
    normalization: settings.normalization,
    scope: settings.reduceOver,
    microBatch: settings.microBatch,
    labelSmoothing: settings.labelSmoothing,
    reweighting: settings.reweighting,
    compute: settings.compute,
    kl,
    loss,
    forward: {
      training: true,
      checkpointing: gradientCheckpointing,
      ...(dropout !== undefined && {
        dropout: { embedding: dropout, attention: dropout, residual: dropout },
      }),
      ...(neftuneAlpha !== undefined && { neftuneAlpha }),
    },
  };
}
