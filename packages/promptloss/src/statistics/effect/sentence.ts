// The effect of w_p in one plain sentence: what was found, with its p-value and interval, or that nothing was.
import { pValue, trimmed } from "../numbers.ts";
import { FEWEST_DF } from "../rules.ts";
import type { QuadraticEffect } from "./quadratic-effect.ts";

/** Says `effect` in words. Prompt loss weights are given to three digits. */
export function sentenceOf(effect: Omit<QuadraticEffect, "sentence">): string {
  const where = Object.entries(effect.at)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return `${where === "" ? "" : `For ${where}: `}${finding(effect)}`;
}

function finding(effect: Omit<QuadraticEffect, "sentence">): string {
  const { variable, kind, best, vertex, quadratic, joint, level } = effect;
  const percent = `${trimmed(100 * level, 6)} %`;
  switch (kind) {
    case "none":
      if (effect.residualDf < FEWEST_DF) {
        return (
          `no verdict: ${effect.residualDf} residual degrees of freedom, and a verdict needs ${FEWEST_DF}; ` +
          "these data name no best PLW."
        );
      }
      return (
        `no significant relation between the score and ${variable} ` +
        `(linear and quadratic terms together: ${p(joint.p)}); these data name no best PLW.`
      );
    case "maximum": {
      const interval = effect.bootstrap?.plw ?? effect.plwInterval!;
      const method = effect.bootstrap === undefined ? "Fieller's method" : "the parametric bootstrap";
      return (
        `the score is highest at PLW ${trimmed(best!.plw)} (${variable} ${trimmed(best!.wp)}; ${percent} interval of ` +
        `the PLW ${trimmed(interval.lower)} to ${trimmed(interval.upper)} by ${method}), ` +
        `a significant downward curve (quadratic term: ${p(quadratic.p)}).`
      );
    }
    case "minimum":
      return (
        `the fitted curve has a minimum, not a maximum: the score is lowest near ${variable} ${trimmed(vertex.wp)} ` +
        `(quadratic term: ${p(quadratic.p)}) and highest at PLW ${trimmed(best!.plw)}, an end of the range; ` +
        "these data name no best PLW inside it."
      );
    case "plateau": {
      const [first, last] = effect.againstEnds!;
      const end = first.p < effect.alpha ? 1 : 0;
      return (
        `the fitted curve turns inside (quadratic term: ${p(quadratic.p)}), but its ` +
        `${quadratic.estimate < 0 ? "top" : "bottom"} is not told from its value at PLW ${end} ` +
        `(${p((end === 1 ? last : first).p)}): these data name no best PLW inside.`
      );
    }
    case "monotone": {
      const course = `the score ${best!.wp === 1 ? "rises" : "falls"} with ${variable} over the whole range`;
      const why =
        quadratic.p < effect.alpha
          ? `the vertex of the fitted curve, ${variable} ${trimmed(vertex.wp)}, lies outside [0, 1]`
          : `no significant curvature: quadratic term ${p(quadratic.p)}; both terms together ${p(joint.p)}`;
      return `${course} (${why}): PLW ${trimmed(best!.plw)} is best among those tried, and no best value inside the range was found.`;
    }
  }
}

function p(value: number): string {
  return value < 2e-16 ? "p < 2e-16" : `p = ${pValue(value)}`;
}
