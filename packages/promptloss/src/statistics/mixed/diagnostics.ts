// What is wrong or doubtful about a fit, in words: did the optimizer arrive, is the curvature right, is a variance
// zero or a correlation one, do the data separate. Notes do not question the estimates; warnings do.
import type { Minimum } from "../engine/optimize.ts";
import type { Family } from "../family/family.ts";
import type { VarianceComponent } from "./blocks.ts";

export type DiagnosticCode =
  | "not-converged"
  | "non-positive-definite-hessian"
  | "singular"
  | "dispersion-boundary"
  | "separation"
  | "aliased"
  | "dropped-rows"
  | "few-groups";

export interface Diagnostic {
  code: DiagnosticCode;
  severity: "warning" | "note";
  message: string;
}

export interface Diagnosed {
  family: Family;
  minimum: Minimum;
  starts: number;
  components: readonly VarianceComponent[];
  /** Of each block: the smallest singular value of Λ, and the effects whose row of Λ is next to zero. */
  degeneracy: readonly Degeneracy[];
  tau: number;
  /** Fitted means, [n]. */
  fitted: Float64Array;
  aliased: readonly string[];
  dropped: number;
}

export interface Degeneracy {
  smallest: number;
  zeroEffects: readonly string[];
}

// On the link scale, with unit columns, a deviation this small changes no fitted value visibly (lme4's tolerance).
const singularTolerance = 1e-4;

export function diagnose(fit: Diagnosed): Diagnostic[] {
  const found: Diagnostic[] = [];
  const add = (code: DiagnosticCode, severity: Diagnostic["severity"], message: string): void => {
    found.push({ code, severity, message });
  };
  const { minimum, components, family } = fit;
  if (minimum.curvature === undefined) {
    add(
      "non-positive-definite-hessian",
      "warning",
      "the likelihood is flat or not at a maximum in some direction (its Hessian is not positive definite): the " +
        "standard errors leave that direction out and the model is likely too large for the data",
    );
  } else if (!minimum.converged) {
    const gradient = Math.max(...minimum.gradient.map(Math.abs));
    add(
      "not-converged",
      "warning",
      `the optimizer stopped ${Math.sqrt(minimum.decrement).toPrecision(2)} standard errors from the maximum after ` +
        `${minimum.iterations} steps from ${fit.starts} starts (largest gradient ${gradient.toExponential(1)})`,
    );
  }
  for (const [b, component] of components.entries()) {
    const degeneracy = fit.degeneracy[b]!;
    if (isSingular(degeneracy)) add("singular", "warning", singularMessage(component, degeneracy));
    if (component.groups < 5) {
      add(
        "few-groups",
        "note",
        `${component.group} has ${component.groups} groups: its standard deviation is estimated from that many values`,
      );
    }
  }
  if (family.name === "beta" && fit.tau > Math.log(1e6)) {
    add(
      "dispersion-boundary",
      "warning",
      "the precision runs to infinity: the model fits the scores all but exactly",
    );
  }
  if (family.known !== undefined && family.dispersion(fit.tau) === 0) {
    add(
      "dispersion-boundary",
      "note",
      "the scores differ by no more than their sampling errors: the residual variance beside them is estimated at zero, " +
        "and degrees of freedom count nothing for it",
    );
  }
  if (family.name === "gaussian" && family.known === undefined && fit.tau < Math.log(1e-6)) {
    add(
      "dispersion-boundary",
      "warning",
      "the residual variance runs to zero: the model fits the scores all but exactly",
    );
  }
  if (family.name === "beta" && fit.fitted.some((mu) => mu < 1e-5 || mu > 1 - 1e-5)) {
    add(
      "separation",
      "warning",
      "some fitted means are 0 or 1 to five digits: a predictor may separate the scores",
    );
  }
  if (fit.aliased.length > 0) {
    add(
      "aliased",
      "note",
      `left out because other columns determine ${fit.aliased.length === 1 ? "it" : "them"}: ${fit.aliased.join(", ")}`,
    );
  }
  if (fit.dropped > 0) {
    add(
      "dropped-rows",
      "note",
      `${fit.dropped} row${fit.dropped === 1 ? "" : "s"} left out for a missing value`,
    );
  }
  return found;
}

export function isSingular({ smallest }: Degeneracy): boolean {
  return smallest < singularTolerance;
}

function singularMessage(
  { group, effects, correlation }: VarianceComponent,
  { zeroEffects }: Degeneracy,
): string {
  const what =
    zeroEffects.length > 0
      ? `the standard deviation${zeroEffects.length > 1 ? "s" : ""} of ${zeroEffects.join(" and ")} ` +
        `${zeroEffects.length > 1 ? "are" : "is"} estimated at zero`
      : `the correlation of ${extremePair(effects, correlation)} is estimated at ${correlationSign(correlation)}`;
  return `singular fit: in (${effects.join(" + ")} | ${group}) ${what}: these data support a simpler random effect`;
}

function extremePair(effects: readonly string[], correlation: readonly number[][]): string {
  const [i, j] = extreme(correlation);
  return `${effects[i]} and ${effects[j]}`;
}

function correlationSign(correlation: readonly number[][]): string {
  const [i, j] = extreme(correlation);
  return correlation[i]![j]! < 0 ? "−1" : "1";
}

function extreme(correlation: readonly number[][]): [number, number] {
  let best: [number, number] = [0, Math.min(1, correlation.length - 1)];
  for (let i = 0; i < correlation.length; i++) {
    for (let j = i + 1; j < correlation.length; j++) {
      if (Math.abs(correlation[i]![j]!) > Math.abs(correlation[best[0]]![best[1]]!)) best = [i, j];
    }
  }
  return best;
}
