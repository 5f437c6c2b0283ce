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
  return [
    ...ofOptimizer(fit),
    ...fit.components.flatMap((component, b) => ofComponent(component, fit.degeneracy[b]!)),
    ...ofDispersion(fit),
    ...ofRows(fit),
  ];
}

function warning(code: DiagnosticCode, message: string): Diagnostic {
  return { code, severity: "warning", message };
}

function note(code: DiagnosticCode, message: string): Diagnostic {
  return { code, severity: "note", message };
}

function ofOptimizer({ minimum, starts }: Diagnosed): Diagnostic[] {
  if (minimum.curvature === undefined)
    return [
      warning(
        "non-positive-definite-hessian",
        "the likelihood is flat or not at a maximum in some direction (its Hessian is not positive definite): the " +
          "standard errors leave that direction out and the model is likely too large for the data",
      ),
    ];
  if (minimum.converged) return [];
  const gradient = Math.max(...minimum.gradient.map(Math.abs));
  return [
    warning(
      "not-converged",
      `the optimizer stopped ${Math.sqrt(minimum.decrement).toPrecision(2)} standard errors from the maximum after ` +
        `${minimum.iterations} steps from ${starts} starts (largest gradient ${gradient.toExponential(1)})`,
    ),
  ];
}

function ofComponent(component: VarianceComponent, degeneracy: Degeneracy): Diagnostic[] {
  const { group, groups } = component;
  const found: Diagnostic[] = [];
  if (isSingular(degeneracy)) found.push(warning("singular", singularMessage(component, degeneracy)));
  if (groups < 5)
    found.push(
      note(
        "few-groups",
        `${group} has ${groups} groups: its standard deviation is estimated from that many values`,
      ),
    );
  return found;
}

function ofDispersion({ family, tau }: Diagnosed): Diagnostic[] {
  const code = "dispersion-boundary";
  if (family.name === "beta" && tau > Math.log(1e6))
    return [warning(code, "the precision runs to infinity: the model fits the scores all but exactly")];
  if (family.known !== undefined && family.dispersion(tau) === 0)
    return [
      note(
        code,
        "the scores differ by no more than their sampling errors: the residual variance beside them is estimated at " +
          "zero, and degrees of freedom count nothing for it",
      ),
    ];
  if (family.name === "gaussian" && family.known === undefined && tau < Math.log(1e-6))
    return [warning(code, "the residual variance runs to zero: the model fits the scores all but exactly")];
  return [];
}

function ofRows({ family, fitted, aliased, dropped }: Diagnosed): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (family.name === "beta" && fitted.some((mu) => mu < 1e-5 || mu > 1 - 1e-5))
    found.push(
      warning(
        "separation",
        "some fitted means are 0 or 1 to five digits: a predictor may separate the scores",
      ),
    );
  if (aliased.length > 0)
    found.push(
      note(
        "aliased",
        `left out because other columns determine ${aliased.length === 1 ? "it" : "them"}: ${aliased.join(", ")}`,
      ),
    );
  if (dropped > 0)
    found.push(
      note("dropped-rows", `${dropped} row${dropped === 1 ? "" : "s"} left out for a missing value`),
    );
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
