// A recommendation as plain text: the number, its interval, and the evidence with its marks.
import { trimmed } from "../report/numbers.ts";
import type { Recommendation } from "./recommend.ts";

const marks = {
  study: "your study",
  V: "the paper, verified",
  D: "derived from the paper's figures",
  O: "our choice, not the paper's",
  "follow-up": "a follow-up paper",
} as const;

/** Lines joined by newlines, none at the end. */
export function renderRecommendation(recommendation: Recommendation): string {
  const { plw, interval, generationRatio, taskGroup, evidence, significant } = recommendation;
  const { lower, upper, kind, level } = interval;
  const methods = {
    surface: "from draws of the fitted surface",
    bootstrap: "parametric bootstrap",
    delta: "delta method",
    stated: "a stated range, no confidence interval",
    end: "the best is the end of what was tried",
  };
  const span = kind === "end" ? "none" : `${trimmed(lower)} to ${trimmed(upper)}`;
  const confidence = level === undefined ? "" : `${trimmed(100 * level, 6)} % interval, `;
  return [
    `Prompt loss weight  ${trimmed(plw)}`,
    `Range               ${span} (${confidence}${methods[kind]})`,
    `For                 Rg ${trimmed(generationRatio)}, ${taskGroup ?? "all tasks"}`,
    `Significant         ${significant ? "yes" : "no: nothing significant is known for just this ratio and kind of task"}`,
    "Evidence",
    ...evidence.map(({ mark, text }) => `  [${marks[mark]}] ${text}`),
  ].join("\n");
}
