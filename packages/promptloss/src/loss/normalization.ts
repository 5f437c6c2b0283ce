// What the sum of weighted token losses is divided by. Pure: counts of a batch in, one factor a class of tokens out.
//
// With token losses ℓ and weights w every normalization here is Σ f·w·ℓ, where the factor f depends only on the token's
// class: on its side, prompt or completion, unless the class has a denominator of its own. So one reduction serves them
// all, and a batch may be cut into micro-batches anywhere.
import { TOKEN_CLASSES, type TokenClass } from "../data/example.ts";
import { partOfClass } from "../data/token-parts.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { LossError } from "./errors.ts";

export const NORMALIZATIONS = [
  /** Σ w ℓ / Σ w */
  "weight-sum",
  /** Σ w ℓ / #{w > 0} (WIT, arXiv 2507.07817) */
  "active-count",
  /** Σ w ℓ / #positions, as if rows were padded to the longest */
  "all-mean",
  /** Σ w ℓ / #completion tokens (ms-swift) */
  "completion-count",
  /** Σ_prompt w ℓ / #prompt tokens + Σ_completion w ℓ / #completion tokens (Apertus) */
  "segment-mean",
  /** The prompt's part is the share P = promptLossWeight of all weight (GoLLIE): P · mean_prompt + (1 − P) · mean_completion, each mean weighted by w */
  "loss-share",
] as const;

export type Normalization = (typeof NORMALIZATIONS)[number];

/** 1 where a token's class is on the completion's side, by code: what the model writes. All else is prompt. */
export const IS_COMPLETION = Uint8Array.from(TOKEN_CLASSES, (name) =>
  partOfClass(name) === "prompt" ? 0 : 1,
);

/** What the normalizations divide by, over the rows of a batch. A row's first token predicts nothing and counts nowhere. */
export interface LossTotals {
  /** Predicted tokens, by the code of their class. */
  readonly tokens: readonly number[];
  /** Σ w, by class. */
  readonly weight: readonly number[];
  /** #{w > 0}, by class. */
  readonly active: readonly number[];
  readonly rows: number;
  /** Tokens of the longest row, those that only an encoder reads counted as one; 1 where there is none. */
  readonly longest: number;
}

function zeros(): number[] {
  return TOKEN_CLASSES.map(() => 0);
}

/** @param rows the rows of the whole batch that a loss is reduced over */
export function lossTotals(rows: Iterable<WeightedTokens>): LossTotals {
  const [tokens, weight, active] = [zeros(), zeros(), zeros()];
  let count = 0;
  let longest = 1;
  for (const row of rows) {
    count++;
    const first = row.firstPredicted;
    longest = Math.max(longest, row.length - first + 1);
    for (let i = first; i < row.length; i++) {
      const code = row.classes[i]!;
      const w = row.weights[i]!;
      tokens[code]!++;
      weight[code]! += w;
      if (w > 0) active[code]!++;
    }
  }
  return { tokens, weight, active, rows: count, longest };
}

/** The totals of several parts of a batch together. */
export function addLossTotals(parts: Iterable<LossTotals>): LossTotals {
  const add = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value + b[i]!);
  return [...parts].reduce(
    (sum, part) => ({
      tokens: add(sum.tokens, part.tokens),
      weight: add(sum.weight, part.weight),
      active: add(sum.active, part.active),
      rows: sum.rows + part.rows,
      longest: Math.max(sum.longest, part.longest),
    }),
    lossTotals([]),
  );
}

/** Totals as a row of numbers, for processes that tell each other theirs; `totalsOfNumbers` reads it. */
export function numbersOfTotals({ tokens, weight, active, rows, longest }: LossTotals): number[] {
  return [...tokens, ...weight, ...active, rows, longest];
}

/** The totals at the beginning of a row of numbers. */
export function totalsOfNumbers(numbers: readonly number[]): LossTotals {
  const size = TOKEN_CLASSES.length;
  const part = (index: number): number[] => numbers.slice(index * size, (index + 1) * size);
  const [rows, longest] = [numbers[3 * size]!, numbers[3 * size + 1]!];
  return { tokens: part(0), weight: part(1), active: part(2), rows, longest };
}

/** Classes that are divided by their own number of tokens: those named, or each. */
export type OwnDenominator = "all" | readonly TokenClass[];

export interface NormalizationSettings {
  readonly normalization: Normalization;
  /** Of `loss-share`, the prompt's share P in [0, 1]; the other normalizations don't read it. */
  readonly promptShare?: number;
  /**
   * The loss of each of these classes is Σ w ℓ / #its tokens, added to what `normalization` makes of all other tokens as
   * if there were no more of them.
   */
  readonly ownDenominator?: OwnDenominator | undefined;
}

/** A loss section's settings with the share that `loss-share` gives the prompt: its weight, 1 at most. */
export function normalizationOf(
  { normalization, ownDenominator }: Omit<NormalizationSettings, "promptShare">,
  promptLossWeight: number,
): NormalizationSettings {
  return { normalization, promptShare: Math.min(1, promptLossWeight), ownDenominator };
}

/** The factor of w·ℓ by the code of a token's class. */
export type LossFactors = readonly number[];

/** Whether each class has a denominator of its own, by code. */
export function hasOwnDenominator(own: OwnDenominator = []): readonly boolean[] {
  return TOKEN_CLASSES.map((name) => own === "all" || own.includes(name));
}

/**
 * The factor of w·ℓ of each class. 0 where nothing is divided.
 * @throws {LossError} where the divisor is 0, so that the loss is not defined, and for a share outside [0, 1]
 */
export function lossFactors(totals: LossTotals, settings: NormalizationSettings): LossFactors {
  const own = hasOwnDenominator(settings.ownDenominator);
  const rest = sideFactors(totals, own, settings);
  const isAlone = TOKEN_CLASSES.some((_, code) => own[code] && totals.weight[code]! > 0);
  if (rest === undefined && !isAlone) throw undefinedLoss(settings.normalization);
  return TOKEN_CLASSES.map((_, code) => {
    if (own[code]) return inverse(totals.tokens[code]!);
    return rest?.[IS_COMPLETION[code]!] ?? 0;
  });
}

function inverse(divisor: number): number {
  return divisor > 0 ? 1 / divisor : 0;
}

/** The factors of prompt and completion without the classes that have a denominator of their own; undefined where it is 0. */
function sideFactors(
  totals: LossTotals,
  own: readonly boolean[],
  { normalization, promptShare = 0 }: NormalizationSettings,
): readonly [prompt: number, completion: number] | undefined {
  const ofSide = (values: readonly number[], side: 0 | 1): number =>
    values.reduce((sum, value, code) => (!own[code] && IS_COMPLETION[code] === side ? sum + value : sum), 0);
  const ofBoth = (values: readonly number[]): number => ofSide(values, 0) + ofSide(values, 1);
  const both = (divisor: number): readonly [number, number] | undefined =>
    divisor > 0 ? [1 / divisor, 1 / divisor] : undefined;
  const { tokens, weight, active, rows, longest } = totals;
  switch (normalization) {
    case "weight-sum":
      return both(ofBoth(weight));
    case "active-count":
      return both(ofBoth(active));
    case "all-mean":
      // The positions that padding would make.
      return both(rows * (longest - 1));
    case "completion-count":
      return both(ofSide(tokens, 1));
    case "segment-mean":
      if (ofBoth(tokens) === 0) return undefined;
      return [inverse(ofSide(tokens, 0)), inverse(ofSide(tokens, 1))];
    case "loss-share":
      if (!(promptShare >= 0 && promptShare <= 1))
        throw new LossError(
          `loss-share: promptLossWeight is the prompt's share and lies in [0, 1], got ${promptShare}`,
        );
      if (ofBoth(weight) === 0) return undefined;
      return [promptShare * inverse(ofSide(weight, 0)), (1 - promptShare) * inverse(ofSide(weight, 1))];
  }
}

function undefinedLoss(name: Normalization): LossError {
  return new LossError(`the loss of a batch is not defined: ${name} divides by 0`, {
    hint: "a batch needs a token that is trained on; look at the weights with promptloss preview",
  });
}
