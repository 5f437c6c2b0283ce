// A recommendation as plain text: the number, its interval, and the evidence with its marks.
import { short } from "../report/numbers.ts";
import type { Recommendation } from "./recommend.ts";

const marks = {
  study: "your study",
  V: "the paper, verified",
  D: "derived from the paper's figures",
  O: "our choice, not the paper's",
} as const;

/** Lines joined by newlines, none at the end. */
export function renderRecommendation(recommendation: Recommendation): string {
  const { plw, interval, generationRatio, taskGroup, evidence, significant } = recommendation;
  const { lower, upper, kind, level } = interval;
  const span = `${short(lower, 3)} to ${short(upper, 3)}`;
  const methods = {
    surface: "from draws of the fitted surface",
    bootstrap: "parametric bootstrap",
    delta: "delta method",
    stated: "a stated range, no confidence interval",
  };
  const confidence = level === undefined ? "" : `${Number((100 * level).toPrecision(6))} % interval, `;
  return [
    `Prompt loss weight  ${short(plw, 3)}`,
    `Range               ${span} (${confidence}${methods[kind]})`,
    `For                 Rg ${short(generationRatio, 3)}, ${taskGroup ?? "all tasks"}`,
    `Significant         ${significant ? "yes" : "no: nothing significant is known for just this ratio and kind of task"}`,
    "Evidence",
    ...evidence.map(({ mark, text }) => `  [${marks[mark]}] ${text}`),
  ].join("\n");
}
