// The loss on rows that are not trained on, reduced over all of them as training reduces a batch.
import { type DType, noGrad, scope } from "@promptloss/torch";
import type { RowSource } from "../data/example.ts";
import { PackedTokens } from "../data/packing/index.ts";
import { TOKEN_PARTS } from "../data/token-parts.ts";
import type { WeightedRows, WeightedTokens } from "../data/tokens/index.ts";
import {
  addPartSums,
  type BatchReweighting,
  emptyPartSums,
  lossFactors,
  lossTotals,
  type NormalizationSettings,
  type PartSums,
  type Reweighting,
  totalSums,
} from "../loss/index.ts";
import { type CausalLanguageModel, packLoss } from "../models/index.ts";
import { type MicroBatchSettings, microBatches } from "./batches.ts";
import { NonFiniteLossError } from "./errors.ts";
import { type Ranks, sumOverRanks } from "./ranks/index.ts";
import { reweightingsOf } from "./reweight-batch.ts";
import { IDLE, type Shards } from "./sharding/index.ts";

export interface HeldOutSettings {
  readonly normalization: NormalizationSettings;
  readonly microBatch: MicroBatchSettings;
  readonly compute?: DType | undefined;
  readonly labelSmoothing?: number | undefined;
  readonly reweighting?: Reweighting | BatchReweighting | undefined;
  /** Called with the number of rows measured so far. */
  readonly onRows?: (done: number) => void;
}

export interface HeldOutLoss {
  /** Weighted and normalized as in training; without penalties, and without smoothing where that is left out. */
  readonly loss: number;
  readonly sums: PartSums;
}

/**
 * Computes no gradients and drops nothing. With `ranks` all of them call it, with all rows, and each measures its share.
 * @param shards the model's, where those ranks have a part of its weights each
 * @throws {NonFiniteLossError} naming the first row whose loss is not finite
 */
export function heldOutLoss(
  model: CausalLanguageModel,
  data: Pick<WeightedRows, "at" | "length">,
  settings: HeldOutSettings,
  ranks?: Ranks,
  shards?: Shards,
): HeldOutLoss {
  const { normalization, microBatch, compute, labelSmoothing, onRows } = settings;
  const rows: WeightedTokens[] = Array.from({ length: data.length }, (_, index) => data.at(index));
  const factors = lossFactors(lossTotals(rows), normalization);
  const own = ranks === undefined ? rows : ranks.shareOf(rows);
  const sums = emptyPartSums();
  let loss = 0;
  let done = 0;
  noGrad(() => {
    const groups = own.length === 0 ? [] : microBatches(own, microBatch);
    const inStep = shards?.isFull ? shards.inStep(groups) : groups;
    const reweightings = reweightingsOf(model, inStep, settings.reweighting, { compute, ranks });
    for (const [index, group] of inStep.entries()) {
      scope(() => {
        const result = packLoss(model, PackedTokens.of(group), {
          factors,
          measureAll: true,
          ...{ compute, labelSmoothing, reweighting: reweightings[index] },
        });
        loss += result.loss.item();
        checkFinite(group, result.rows);
        addPartSums(sums, totalSums(result.rows));
      });
      if (group === IDLE) continue;
      done += group.length;
      onRows?.(Math.round((done * rows.length) / own.length));
    }
  });
  return ranks === undefined ? { loss, sums } : sumOverRanks(ranks, { loss, sums });
}

/** @throws {NonFiniteLossError} naming the first row whose loss is not finite */
export function checkFinite(
  rows: readonly { readonly source: RowSource }[],
  sums: readonly PartSums[],
): void {
  for (const [index, { source }] of rows.entries()) {
    const loss = TOKEN_PARTS.reduce((sum, part) => sum + sums[index]![part].loss, 0);
    if (!Number.isFinite(loss)) throw new NonFiniteLossError(source, loss);
  }
}
