// A choice as plain text: the weight, what it may cost, what each other weight would, and what all this rests on.

import { counted } from "../../counted.ts";
import { textTable } from "../../terminal/text-table.ts";
import { trimmed } from "../numbers.ts";
import { GROUNDS } from "./paper-facts.ts";
import type { Recommendation } from "./recommend.ts";
import { shareText } from "./translate-share.ts";

/** Lines joined by newlines, none at the end. */
export function renderRecommendation(recommendation: Recommendation): string {
  const {
    plw,
    learningRate,
    generationRatio,
    taskGroup,
    evidence,
    unknown,
    unit,
    within,
    oneMoreRun,
    noise,
  } = recommendation;
  const { expectedRegret, probabilityBest, runs, objective, share } = recommendation;
  const amount = (value: number): string => `${trimmed(value, 2)} ${unit}`;
  const rests =
    runs > 0
      ? `${counted(runs, "run")} of your own, by ${objective}, on a prior from the paper's facts`
      : "a prior from the paper's facts alone: no run on this data";
  return [
    `Prompt loss weight  ${trimmed(plw)}`,
    ...(learningRate === undefined ? [] : [`Learning rate       ${trimmed(learningRate)}`]),
    `Expected regret     ${amount(expectedRegret)}`,
    `Best of those below ${shareText(probabilityBest)}`,
    `Alike               ${within.weights.map((each) => trimmed(each)).join(", ")} (at most ${amount(within.tolerance)} worse on average)`,
    `One more run        ${moreRun(recommendation, amount)}`,
    `For                 Rg ${trimmed(generationRatio)}, ${taskGroup ?? "all tasks"}, ${share.normalization}`,
    `Prompt's share      ${shareLine(share)}`,
    `Rests on            ${rests}${noise === undefined ? "" : `; noise of a run ${amount(noise)}`}`,
    "",
    ...textTable(
      [
        ["PLW", "expected regret", "probability of being best"],
        ...recommendation.weights.map((each) => [
          `${trimmed(each.plw)}${each.plw === plw ? " *" : ""}`,
          trimmed(each.expectedRegret, 2),
          shareText(each.probabilityBest),
        ]),
      ],
      ["left", "right", "right"],
    ),
    "",
    "Known",
    ...evidence.map(({ mark, text }) => `  [${GROUNDS[mark]}] ${text}`),
    "Not known",
    ...unknown.map((text) => `  ${text}`),
    ...(oneMoreRun === undefined && runs === 0
      ? ["  whether any of it holds for this data: promptloss tune tries a few weights on it"]
      : []),
  ].join("\n");
}

function moreRun({ oneMoreRun }: Recommendation, amount: (value: number) => string): string {
  if (oneMoreRun === undefined) return "not known without runs of your own, which tell the noise";
  const { plw, learningRate, gain } = oneMoreRun;
  const rate = learningRate === undefined ? "" : ` at learning rate ${trimmed(learningRate)}`;
  return gain === 0
    ? "would not change the choice"
    : `at PLW ${trimmed(plw)}${rate}, expected to gain ${amount(gain)}`;
}

/** The share itself, and the weights that give as much in the normalizations that share differently. */
function shareLine({ normalization, share, equivalents }: Recommendation["share"]): string {
  const others = (["weight-sum", "segment-mean", "loss-share"] as const)
    .filter((name) => name !== normalization && equivalents[name] !== equivalents[normalization])
    .map((name) => `${trimmed(equivalents[name])} in ${name}`);
  const same = others.length === 0 ? "" : `; as much is PLW ${others.join(", ")}`;
  return `${shareText(share)} of the token weight${same}`;
}
