// What a prompt loss weight is worth in other normalizations: the weight that gives the prompt the same share of the
// token weight. Counts of tokens by Rg, without the template's.
import { type NormalizationName, normalizationNames, plwOfShare, promptShare } from "../choice/index.ts";
import { trimmed } from "../numbers.ts";
import { criticalPlw, type Fact, measuredRatios } from "./paper-facts.ts";

export interface ShareTranslation {
  readonly normalization: NormalizationName;
  /** The prompt's share of the token weight at the weight, in [0, 1]. */
  readonly share: number;
  /** By normalization, the weight that gives the prompt that share of the same data. */
  readonly equivalents: Readonly<Record<NormalizationName, number>>;
}

export function translateShare(
  plw: number,
  ratio: number,
  normalization: NormalizationName,
): ShareTranslation {
  const share = promptShare(plw, ratio, normalization);
  const equivalents = normalizationNames.map((name) => [
    name,
    name === normalization ? plw : plwOfShare(share, ratio, name),
  ]);
  return {
    normalization,
    share,
    equivalents: Object.fromEntries(equivalents) as ShareTranslation["equivalents"],
  };
}

/** What the paper's weight and its share are here. */
export function shareFact(ratio: number, normalization: NormalizationName): Fact {
  const there = promptShare(criticalPlw, measuredRatios.short, "weight-sum");
  const here = promptShare(criticalPlw, ratio, "weight-sum");
  const sameShare = plwOfShare(there, ratio, normalization);
  const reach = sameShare > 1 ? ", more than any weight from 0 to 1" : "";
  return {
    mark: "D",
    text: `where all tokens have one divisor, PLW 0.242 gives the prompt ${shareText(there)} of the token weight at Rg 0.08 and ${shareText(here)} at Rg ${trimmed(ratio)}; in ${normalization} at Rg ${trimmed(ratio)} that weight is ${trimmed(plwOfShare(here, ratio, normalization))}, and a share of ${shareText(there)} is PLW ${trimmed(sameShare)}${reach} (template tokens not counted)`,
  };
}

export function shareText(share: number): string {
  return `${trimmed(100 * share, 2)} %`;
}
