// What the paper (Huerta-Enochian and Ko, arXiv 2401.13586) and its follow-up say that a recommendation can stand on,
// each with its mark: verified from the paper, derived from its figures by arithmetic, or our own choice.

/**
 * V: verified from the paper. D: derived from verified figures. O: our own choice, never the paper's. follow-up: another
 * paper's finding.
 */
export type Mark = "V" | "D" | "O" | "follow-up";

export interface Fact {
  mark: Mark;
  text: string;
}

/** Generation ratios of the paper's three data sets: the only ones that its figures cover. */
export const measuredRatios = { short: 0.08, long: [3.27, 7.83] } as const;

/** Where a ratio stops being short-completion data by the paper's definition. */
export const shortBelow = 1;

/** Between these the paper says itself that it doesn't know. */
export const openRange: readonly [number, number] = [0.5, 2];

export const criticalPlw = 0.242;

const ourChoice = "our choice; the paper's exact setting was not available to us";

export const facts = {
  critical: {
    mark: "V",
    text: "on short-completion data (AlpacaDataShort, Rg 0.08) scores follow a downward quadratic in w_p (p < 0.001) that is highest at PLW 0.242",
  },
  smallIsBest: {
    mark: "V",
    text: "a small PLW, 0.01 to 0.5, is best for multiple choice and short generation",
  },
  nearOneIsBest: {
    mark: "V",
    text: "a PLW near 1 is best for long generation: AlpacaEval and PandaLM rise towards PLW 1, by about 20 points",
  },
  longData: {
    mark: "V",
    text: "on long-completion data the relation is not significant: p = 0.237 on AlpacaData (Rg 3.27), p = 0.0861, with convergence warnings, on AlpacaDataCleaned (Rg 7.83)",
  },
  open: {
    mark: "V",
    text: "the best PLW for Rg between 0.5 and 2 is a question that the paper leaves open",
  },
  followUp: {
    mark: "follow-up",
    text: "WIT (arXiv 2507.07817) finds the best prompt weight between 0 and 0.5 over 525 runs",
  },
  between: {
    mark: "O",
    text: `carrying the figures for Rg 0.08 over to other short-completion data: ${ourChoice}`,
  },
  smallForLongData: {
    mark: "O",
    text: `0.1 where no significant best value is known, a small weight within the follow-up's range: ${ourChoice}`,
  },
  nearOneRange: {
    mark: "O",
    text: `0.5 to 1 as the range that "near 1" stands for: ${ourChoice}`,
  },
} as const satisfies Record<string, Fact>;
