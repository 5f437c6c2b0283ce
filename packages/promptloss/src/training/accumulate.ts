// One optimizer step's gradients: the loss is reduced over the whole batch, however many micro-batches of however many
// processes compute it.
import { type DType, scope } from "@promptloss/torch";
import { TOKEN_CLASSES } from "../data/example.ts";
import { PackedTokens } from "../data/packing/index.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import {
  addLossTotals,
  addPartSums,
  type BatchReweighting,
  emptyPartSums,
  type LossFactors,
  type LossTotals,
  lossFactors,
  lossTotals,
  type NormalizationSettings,
  numbersOfTotals,
  type PartSums,
  type Reweighting,
  totalSums,
  totalsOfNumbers,
} from "../loss/index.ts";
import type { CausalLanguageModel, ForwardOptions } from "../models/decoder/model.ts";
import { type PackLossFunction, packLoss } from "../models/index.ts";
import { type MicroBatchSettings, microBatches } from "./batches.ts";
import type { KlPenalty } from "./penalties/kl.ts";
import { type Ranks, sumOverRanks } from "./ranks/index.ts";
import { reweightingsOf } from "./reweight-batch.ts";
import type { RunSettings } from "./run.ts";
import { IDLE, type Shards } from "./sharding/index.ts";

export interface AccumulateSettings {
  readonly normalization: NormalizationSettings;
  /**
   * What a normalization counts over: the whole batch, or each micro-batch, whose losses are then averaged. With several
   * processes both are over all of theirs; which micro-batches there are then depends on how many processes there are.
   */
  readonly scope: "batch" | "micro-batch";
  readonly microBatch: MicroBatchSettings;
  readonly labelSmoothing?: number | undefined;
  readonly reweighting?: Reweighting | BatchReweighting | undefined;
  readonly compute?: DType | undefined;
  readonly forward?: ForwardOptions | undefined;
  readonly kl?: KlPenalty | undefined;
  /** In place of {@link packLoss}. */
  readonly loss?: PackLossFunction | undefined;
  /** The processes that compute a share of the batch each. */
  readonly ranks?: Ranks | undefined;
  /** Where they divide gradients among them: these come to the shards' own pieces, not to the model's parameters. */
  readonly shards?: Shards | undefined;
}

export interface BatchLoss {
  /** The weighted, normalized loss, without penalties. */
  readonly loss: number;
  /** What `kl` added, its coefficient included. */
  readonly penalty: number;
  readonly sums: PartSums;
}

/**
 * Adds the gradients of a batch's loss to the parameters' own. With `ranks` all of them call it, each with its own rows,
 * and all get the gradients and sums of the whole batch.
 * @param rows of this process; they may be none where there are others
 * @param measureAll measure tokens of weight 0 too
 * @throws {LossError} where the batch has no token that is trained on
 */
export function accumulate(
  model: CausalLanguageModel,
  rows: readonly WeightedTokens[],
  settings: AccumulateSettings,
  measureAll: boolean,
): BatchLoss {
  const { loss: lossOf = packLoss, ranks, shards } = settings;
  const groups = rows.length === 0 ? [] : microBatches(rows, settings.microBatch);
  const batch = batchOf(rows, groups.length, ranks);
  const whole = settings.scope === "batch" ? lossFactors(batch.totals, settings.normalization) : undefined;
  const sums = emptyPartSums();
  let [loss, penalty] = [0, 0];
  const inStep = shards?.inStep(groups) ?? groups;
  const reweightings = reweightingsOf(model, inStep, settings.reweighting, settings);
  for (const [index, group] of inStep.entries()) {
    scope(() => {
      const reweighting = reweightings[index];
      const factors = whole ?? averaged(group, settings.normalization, batch.groups);
      const pack = PackedTokens.of(group);
      const result = lossOf(model, pack, { ...settings, reweighting, factors, measureAll });
      const kl = settings.kl?.of(model, pack, result.hidden, batch, settings.compute);
      (kl === undefined ? result.loss : result.loss.add(kl)).backward();
      loss += result.loss.item();
      penalty += kl?.item() ?? 0;
      addPartSums(sums, totalSums(result.rows));
    });
    shards?.endBackward();
  }
  if (ranks === undefined) return { loss, penalty, sums };
  if (shards === undefined) ranks.sumGradients(model.trainable.values());
  else shards.finishGradients();
  return sumOverRanks(ranks, { loss, penalty, sums });
}

/** What of a whole batch the loss of each of its parts is divided by. */
interface WholeBatch {
  readonly totals: LossTotals;
  /** Micro-batches. */
  readonly groups: number;
  /** Tokens of a weight above 0. */
  readonly trainedCount: number;
}

function batchOf(rows: readonly WeightedTokens[], groups: number, ranks: Ranks | undefined): WholeBatch {
  const totals = lossTotals(rows);
  const trainedCount = rows.reduce((sum, row) => sum + row.trainedCount, 0);
  if (ranks === undefined) return { totals, groups, trainedCount };
  const all = ranks.gather([...numbersOfTotals(totals), groups, trainedCount]);
  const sumOf = (place: number): number => all.reduce((sum, each) => sum + each.at(place)!, 0);
  return {
    totals: addLossTotals(all.map(totalsOfNumbers)),
    groups: sumOf(-2),
    trainedCount: sumOf(-1),
  };
}

function averaged(
  group: readonly WeightedTokens[],
  settings: NormalizationSettings,
  groups: number,
): LossFactors {
  if (group === IDLE) return TOKEN_CLASSES.map(() => 0);
  return lossFactors(lossTotals(group), settings).map((factor) => factor / groups);
}

/** A run's settings as `accumulate` takes them, for training. */
export function accumulateSettings(
  settings: RunSettings,
  { kl, loss, ranks, shards }: Pick<AccumulateSettings, "kl" | "loss" | "ranks" | "shards"> = {},
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
    ranks,
    shards,
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
