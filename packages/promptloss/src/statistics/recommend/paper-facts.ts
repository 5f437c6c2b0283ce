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

/** Where a statement comes from, in words: a study of the user's own, or the mark of a fact. */
export const GROUNDS: Readonly<Record<Mark | "study", string>> = {
  study: "your study",
  V: "the paper, verified",
  D: "derived from the paper's figures",
  O: "our choice, not the paper's",
  "follow-up": "a follow-up paper",
};

/** Generation ratios of the paper's three data sets: the only ones that its figures cover. */
export const measuredRatios = { short: 0.08, long: [3.27, 7.83] } as const;

/** Where a ratio stops being short-completion data by the paper's definition. */
export const shortBelow = 1;

export const criticalPlw = 0.242;

/** Parameters of the models that its figures are of: LLaMA 1 and 2, 7B. */
export const studiedParameters = 7e9;

const ourChoice = "our choice; the paper's exact setting was not available to us";

export const facts = {
  critical: {
    mark: "V",
    text: "on short-completion data (AlpacaDataShort, Rg 0.08, LLaMA 7B) scores follow a downward quadratic in w_p (p < 0.001) that is highest at PLW 0.242",
  },
  smallIsBest: {
    mark: "V",
    text: "a small PLW, 0.01 to 0.5, is best for multiple choice and short generation, with gains under 2 points",
  },
  nearOneIsBest: {
    mark: "V",
    text: "a PLW near 1 is best for long generation: AlpacaEval and PandaLM rise toward PLW 1, by about 20 points",
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
  prior: {
    mark: "O",
    text: `the prior's width, which grows with |log(Rg / 0.08)|, with another normalization and another model size, and its shares of flat and of rising courses: ${ourChoice}`,
  },
  carried: {
    mark: "O",
    text: `whether the weight or the prompt's share of the loss carries over to another Rg is not known; the prior gives them 3 to 1: ${ourChoice}`,
  },
} as const satisfies Record<string, Fact>;

/** What nobody has measured, as far as we know, in the words of a person who has to choose. */
export const unknowns = {
  longData:
    "a best weight for data with longer completions than prompts: the paper's two such data sets show no significant relation",
  otherRatios: "how the best weight moves between the paper's ratios, 0.08, 3.27 and 7.83",
  longGeneration:
    "the best weight for long generation at other ratios and sizes; the paper's scores there come from a judge model, and larger PLW also lengthens the answers",
  size: "the best weight for models of other sizes and families",
  rate: "how the best weight moves with the learning rate; promptloss tune measures it",
} as const;
