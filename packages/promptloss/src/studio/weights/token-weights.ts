// From rows as JSON to weights and shares of the loss: the arithmetic of training, for a browser. Imports nothing of Node.

import type { TokenPart } from "../../data/token-parts.ts";
import type { ClassifiedTokens } from "../../data/tokens/classified-tokens.ts";
import { resolveWeightPolicy, type WeightPolicy, weighTokens } from "../../data/tokens/weight-policy.ts";
import type { WeightedTokens } from "../../data/tokens/weighted-tokens.ts";
import { LossError } from "../../loss/errors.ts";
import {
  type LossTotals,
  lossFactors,
  lossTotals,
  type NormalizationSettings,
  normalizationOf,
} from "../../loss/normalization.ts";
import { classShares, partShares } from "../../loss/shares.ts";
import type { TokenRow } from "./answer.ts";

/** A row of the answer as tokenizing made it. */
export function classifiedRow({
  row,
  ids,
  classes,
  partWeights,
  scales,
  rowWeight,
}: TokenRow): ClassifiedTokens {
  return {
    ids: Int32Array.from(ids),
    classes: Uint8Array.from(classes),
    partWeights: partWeights && Float32Array.from(partWeights, (weight) => weight ?? Number.NaN),
    scales: scales && Float32Array.from(scales),
    rowWeight,
    source: { file: "", row },
  };
}

/** Rows with the weights that a policy gives them, as one batch. */
export interface WeighedRows {
  readonly rows: readonly WeightedTokens[];
  readonly totals: LossTotals;
  readonly promptLossWeight: number;
}

/** @throws {WeightError} for a weight that makes no sense */
export function weighRows(rows: readonly ClassifiedTokens[], policy: WeightPolicy): WeighedRows {
  const resolved = resolveWeightPolicy(policy);
  const weighed = rows.map((row) => weighTokens(row, resolved));
  return { rows: weighed, totals: lossTotals(weighed), promptLossWeight: policy.promptLossWeight };
}

/** Shares of the loss were the losses of all tokens alike: of each class by its code, and of each part. */
export interface LossShares {
  readonly classes: readonly number[];
  readonly parts: Readonly<Record<TokenPart, number>>;
}

/** @returns why there is no loss, where the rows have nothing to divide by */
export function sharesOf(
  { totals, promptLossWeight }: Omit<WeighedRows, "rows">,
  settings: Omit<NormalizationSettings, "promptShare">,
): LossShares | string {
  try {
    const classes = classShares(totals, lossFactors(totals, normalizationOf(settings, promptLossWeight)));
    return { classes, parts: partShares(classes) };
  } catch (error) {
    if (!(error instanceof LossError)) throw error;
    return error.message;
  }
}
