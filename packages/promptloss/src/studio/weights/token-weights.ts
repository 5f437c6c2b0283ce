// From rows as JSON to weights and shares of the loss: the arithmetic of training, for a browser. Imports nothing of Node.

import type { TokenPart } from "../../data/token-parts.ts";
import type { ClassifiedTokens } from "../../data/tokens/classified-tokens.ts";
import { cutRange, type Fit, fitTokens, type OverflowOptions } from "../../data/tokens/overflow.ts";
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
import { classShares, measuredShares, partShares } from "../../loss/shares.ts";
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

/** A row as training takes it. */
export interface WeighedRow {
  /** All of it. */
  readonly tokens: WeightedTokens;
  /** What training has of it; `refused`: it is too long, and training stops at it. */
  readonly fit: Fit["kind"] | "refused";
  /** Tokens that are cut off, as from and up to; none behind the end. */
  readonly cut: readonly [from: number, to: number];
  /** What training has of it; undefined where that is nothing. */
  readonly kept: WeightedTokens | undefined;
}

/** Rows with the weights that a policy gives them, as one batch. */
export interface WeighedRows {
  readonly rows: readonly WeighedRow[];
  /** Of what training has of the rows. */
  readonly totals: LossTotals;
  readonly promptLossWeight: number;
}

/**
 * @param overflow what is done with long rows; rows of any length where left out
 * @throws {WeightError} for a weight that makes no sense
 */
export function weighRows(
  rows: readonly ClassifiedTokens[],
  policy: WeightPolicy,
  overflow?: OverflowOptions,
): WeighedRows {
  const resolved = resolveWeightPolicy(policy);
  const kept: WeightedTokens[] = [];
  const weighed = rows.map((row): WeighedRow => {
    const tokens = weighTokens(row, resolved);
    const fit = fitOf(tokens, overflow);
    if (fit?.tokens !== undefined) kept.push(fit.tokens);
    return {
      tokens,
      fit: fit?.kind ?? "refused",
      cut: fit === undefined ? [tokens.length, tokens.length] : cutRange(tokens, fit, overflow),
      kept: fit?.tokens,
    };
  });
  return { rows: weighed, totals: lossTotals(kept), promptLossWeight: policy.promptLossWeight };
}

/** Undefined for a row that is too long where such rows stop the training. */
function fitOf(tokens: WeightedTokens, overflow: OverflowOptions | undefined): Fit | undefined {
  if (overflow === undefined || tokens.length <= overflow.maxLength) return { kind: "kept", tokens };
  return overflow.policy === "error" ? undefined : fitTokens(tokens, overflow);
}

/** Shares of the loss: of each class by its code, and of each part. */
export interface LossShares {
  readonly classes: readonly number[];
  readonly parts: Readonly<Record<TokenPart, number>>;
}

type ShareSettings = Omit<NormalizationSettings, "promptShare">;

/**
 * As if the losses of all tokens were alike.
 * @returns why there is no loss, where the rows have nothing to divide by
 */
export function sharesOf(
  { totals, promptLossWeight }: Omit<WeighedRows, "rows">,
  settings: ShareSettings,
): LossShares | string {
  return shared(() => classShares(totals, lossFactors(totals, normalizationOf(settings, promptLossWeight))));
}

/**
 * By the losses that a model has, over the rows that they are known of as one batch.
 * @param losses of each row that is known: entry t is of token t + 1 of what training has of the row
 * @returns why there is no loss, where the rows have nothing to divide by
 */
export function measuredSharesOf(
  { rows, promptLossWeight }: Omit<WeighedRows, "totals">,
  losses: readonly (readonly number[] | undefined)[],
  settings: ShareSettings,
): LossShares | string {
  const known = rows.flatMap(({ kept }, i) =>
    kept === undefined || losses[i] === undefined ? [] : [{ row: kept, losses: [0, ...losses[i]] }],
  );
  const totals = lossTotals(known.map(({ row }) => row));
  return shared(() =>
    measuredShares(known, lossFactors(totals, normalizationOf(settings, promptLossWeight))),
  );
}

function shared(compute: () => number[]): LossShares | string {
  try {
    const classes = compute();
    return { classes, parts: partShares(classes) };
  } catch (error) {
    if (!(error instanceof LossError)) throw error;
    return error.message;
  }
}
