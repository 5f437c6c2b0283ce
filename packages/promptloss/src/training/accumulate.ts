// One optimizer step's gradients: the loss is reduced over the whole batch, however many micro-batches of however many
// processes compute it.
import { cat, type DType, keep, noGrad, scope, stack, type Tensor, zeros } from "@promptloss/torch";
import { TOKEN_CLASSES } from "../data/example.ts";
import { PackedTokens } from "../data/packing/index.ts";
import { TOKEN_PARTS } from "../data/token-parts.ts";
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
import {
  type MeasuredPack,
  measuredPack,
  type PackLossFunction,
  type PackLossOptions,
  packLoss,
  partTotals,
  summingDtype,
} from "../models/index.ts";
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
  const sums = emptyPartSums();
  let [loss, penalty] = [0, 0];
  backwardThrough(model, rows, settings, measureAll, (pack, options, withPenalty) => {
    const result = lossOf(model, pack, options);
    const kl = withPenalty(result);
    loss += result.loss.item();
    penalty += kl?.item() ?? 0;
    addPartSums(sums, totalSums(result.rows));
  });
  if (ranks === undefined) return { loss, penalty, sums };
  if (shards === undefined) ranks.sumGradients(model.trainable.values());
  else shards.finishGradients();
  return sumOverRanks(ranks, { loss, penalty, sums });
}

/** A batch's loss that nobody has read yet. */
export interface LateBatchLoss {
  /** The loss, what `kl` added, and losses and right ones by part, [8]: {@link batchLossOf} reads them. */
  readonly numbers: Tensor;
  /** The tokens of each part, without losses. */
  readonly counts: PartSums;
}

/** {@link accumulate} of one process that reads nothing, so an accelerator is not waited for. The numbers are the caller's. */
export function accumulateLate(
  model: CausalLanguageModel,
  rows: readonly WeightedTokens[],
  settings: Omit<AccumulateSettings, "loss" | "ranks" | "shards">,
  measureAll: boolean,
): LateBatchLoss {
  const { device } = model;
  const dtype = summingDtype(device);
  const counts = emptyPartSums();
  const numbers = keep(zeros([2 + 2 * TOKEN_PARTS.length], { device, dtype }));
  backwardThrough(model, rows, settings, measureAll, (pack, options, withPenalty) => {
    const measured = measuredPack(model, pack, options);
    const kl = withPenalty(measured);
    const totals = partTotals(pack, measured);
    addPartSums(counts, totals.counts);
    noGrad(() => {
      const none = zeros([], { device, dtype });
      const both = [measured.loss, kl ?? none].map((each) => each.detach().to({ dtype }));
      numbers.add_(cat([stack(both), totals.numbers]));
    });
  });
  return { numbers, counts };
}

/** What the numbers of a {@link LateBatchLoss} say, once they are read. */
export function batchLossOf(counts: PartSums, [loss, penalty, ...byPart]: readonly number[]): BatchLoss {
  const sums = emptyPartSums();
  addPartSums(sums, counts);
  for (const [place, part] of TOKEN_PARTS.entries()) {
    sums[part].loss = byPart[2 * place]!;
    sums[part].correct = byPart[2 * place + 1]!;
  }
  return { loss: loss!, penalty: penalty!, sums };
}

/** Runs the backward pass of one result. @returns the penalty that it added, where there is one */
type WithPenalty = (result: Pick<MeasuredPack, "loss" | "hidden">) => Tensor | undefined;

/** One micro-batch after another, each in a scope of its own. */
function backwardThrough(
  model: CausalLanguageModel,
  rows: readonly WeightedTokens[],
  settings: AccumulateSettings,
  measureAll: boolean,
  each: (pack: PackedTokens, options: PackLossOptions, withPenalty: WithPenalty) => void,
): void {
  const { ranks, shards } = settings;
  const groups = rows.length === 0 ? [] : microBatches(rows, settings.microBatch);
  const batch = batchOf(rows, groups.length, ranks);
  const whole = settings.scope === "batch" ? lossFactors(batch.totals, settings.normalization) : undefined;
  const inStep = shards?.inStep(groups) ?? groups;
  const reweightings = reweightingsOf(model, inStep, settings.reweighting, settings);
  for (const [index, group] of inStep.entries()) {
    scope(() => {
      const factors = whole ?? averaged(group, settings.normalization, batch.groups);
      const pack = PackedTokens.of(group);
      const { labelSmoothing, compute, forward } = settings;
      const options = {
        labelSmoothing,
        compute,
        forward,
        reweighting: reweightings[index],
        factors,
        measureAll,
      };
      each(pack, options, ({ loss, hidden }) => {
        const kl = settings.kl?.of(model, pack, hidden, batch, compute);
        (kl === undefined ? loss : loss.add(kl)).backward();
        return kl;
      });
    });
    shards?.endBackward();
  }
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
