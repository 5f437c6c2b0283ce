// Mixed models by maximum likelihood (or REML) with the Laplace approximation: the public fit of a formula to a table.
// Families: beta with logit link, Gaussian with identity, whose variance may be known in part (a score's sampling error).
// No zero inflation, no dispersion formula, no offsets.

import { type ModelFrame, modelFrame } from "../design/model-frame.ts";
import { orthogonalize } from "../design/orthogonalize.ts";
import { columnNamed, type Row, tableFromRows } from "../design/table.ts";
import { FitError, StatisticsError, TableError } from "../errors.ts";
import type { Family, FamilyName } from "../family/family.ts";
import { gaussianBeside } from "../family/gaussian.ts";
import { familyNamed } from "../family/index.ts";
import { readFormula } from "../formula/terms.ts";
import { blocks } from "./blocks.ts";
import { estimate } from "./estimate.ts";
import type { FitState, MixedModelFit } from "./fit.ts";
import type { MixedProblem } from "./likelihood.ts";
import { assemble } from "./result.ts";

export interface MixedModelOptions {
  /** Default "beta". */
  family?: FamilyName;
  /** Restricted maximum likelihood, Gaussian only. Default false. */
  reml?: boolean;
  /**
   * The column of the scores' own standard errors, in the response's unit; Gaussian only. A score's variance is then
   * σ² + s², with σ² ≥ 0 estimated. Default: nothing is known of it.
   */
  samplingError?: string | undefined;
}

/**
 * Fits `formula` to the rows of a table.
 * @throws {FormulaError}, {TableError} for a value that the family can't have, with its row, and {FitError} where there is
 * nothing to estimate
 * @example
 * ```ts
 * import { fitMixedModel } from "promptloss";
 *
 * const rows = [0, 0.25, 0.5, 0.75, 1].flatMap((wp) =>
 *   ["a", "b", "c", "d"].map((task, i) => ({ wp, task, score: wp - wp ** 2 + i / 10 + ((i * 7 + wp * 20) % 3) / 100 })),
 * );
 * const fit = fitMixedModel(rows, "score ~ wp + I(wp^2) + (1 | task)", { family: "gaussian" });
 * for (const { name, estimate } of fit.coefficients) console.log(`${name} ${estimate.toFixed(3)}`);
 * ```
 */
export function fitMixedModel(
  rows: readonly Row[],
  formula: string,
  options: MixedModelOptions = {},
): MixedModelFit {
  return fitFrame(modelFrame(readFormula(formula), tableFromRows(rows)), options);
}

/** Fits a frame, from `start` (an earlier fit's optimum) when given. */
export function fitFrame(frame: ModelFrame, options: MixedModelOptions, start?: Float64Array): MixedModelFit {
  const { family: name = "beta", reml = false, samplingError } = options;
  let family = familyNamed(name);
  if (samplingError !== undefined && family.name !== "gaussian") {
    throw new StatisticsError("known sampling errors are for the Gaussian family", {
      hint: "leave them out, or use family gaussian",
    });
  }
  if (reml && family.name !== "gaussian") {
    throw new StatisticsError("REML is for the Gaussian family", {
      hint: "leave reml out, or use family gaussian",
    });
  }
  checkResponse(frame, family);
  checkVariation(frame);
  const responseScale = family.name === "gaussian" ? deviation(frame.response) : 1;
  if (samplingError !== undefined)
    family = gaussianBeside(samplingErrors(frame, samplingError).map((s) => (s / responseScale) ** 2));
  const problem: MixedProblem = {
    family,
    y: frame.response.map((y) => y / responseScale),
    fixed: orthogonalize(frame.fixed),
    blocks: blocks(frame.random),
    reml,
  };
  checkSize(frame, problem);
  const found = estimate(problem, start);
  if (found === undefined) {
    throw new FitError(`${frame.formula.source}: the likelihood has no finite value at any start`, {
      hint: "look at the range of the predictors and at scores very near 0 or 1",
    });
  }
  const state: FitState = {
    frame,
    family,
    problem,
    samplingError,
    responseScale,
    optimum: found.minimum.x,
    hessian: found.minimum.hessian,
  };
  return assemble(state, found);
}

function checkVariation({ response, responseName }: ModelFrame): void {
  if (response.some((y) => y !== response[0])) return;
  throw new FitError(
    `all ${response.length} values of ${responseName} are ${response[0]}: there is nothing to explain`,
  );
}

function checkResponse({ response, responseName, kept }: ModelFrame, family: Family): void {
  for (const [i, y] of response.entries()) {
    const problem = family.refuse(y);
    if (problem === undefined) continue;
    throw new TableError(`row ${kept[i]! + 1}: ${responseName} ${problem}`, {
      row: kept[i],
      column: responseName,
      hint: "bring scores into (0, 1) with a named transform (min-max, squeeze), or use family gaussian",
    });
  }
}

/** Standard errors of the rows in use, [n]. */
function samplingErrors({ table, kept }: ModelFrame, name: string): Float64Array {
  const { labels } = columnNamed(table, name);
  return Float64Array.from(labels, (label, i) => {
    const value = Number(label);
    if (label !== undefined && value >= 0 && Number.isFinite(value)) return value;
    throw new TableError(
      `row ${kept[i]! + 1}: ${name} ${label === undefined ? "is missing" : `is ${label}, no standard error`}`,
      {
        row: kept[i],
        column: name,
        hint: "a standard error is a number from 0; give 0 for a score of which none is known",
      },
    );
  });
}

/** The standard deviation, or 1 for a constant. */
function deviation(y: Float64Array): number {
  const mean = y.reduce((sum, x) => sum + x, 0) / y.length;
  const variance = y.reduce((sum, x) => sum + (x - mean) ** 2, 0) / y.length;
  return variance > 0 ? Math.sqrt(variance) : 1;
}

function checkSize(frame: ModelFrame, problem: MixedProblem): void {
  const n = frame.rows;
  const p = problem.fixed.basis.length;
  if (p === 0) throw new FitError(`${frame.formula.source}: no fixed effect is left to estimate`);
  if (p >= n) {
    throw new FitError(`${frame.formula.source}: ${p} fixed effects need more than ${n} rows`, {
      hint: "take terms out of the formula, or add data",
    });
  }
  for (const { design, groups, effects } of problem.blocks) {
    if (groups < 2) {
      throw new FitError(`${design.group} has one group: a random effect needs two at least`, {
        hint: "take the random effect out of the formula",
      });
    }
    if (problem.family.name === "gaussian" && groups * effects >= n) {
      throw new FitError(
        `(${design.columns.map(({ name }) => name).join(" + ")} | ${design.group}): ${groups * effects} random effects ` +
          `for ${n} rows can't be told from the residual`,
        { hint: "group by something with several rows a group, or take a slope out" },
      );
    }
  }
}
