// The response surface: score over w_p and log Rg as a penalized tensor product of cubic splines, its smoothness chosen
// by REML, with a random intercept for each grouping (model, benchmark). Answers inside the data only.
import { columnNamed, type Row, type Table, tableFromRows } from "../design/table.ts";
import type { Cholesky } from "../engine/cholesky.ts";
import { FitError, TableError } from "../errors.ts";
import type { Family, FamilyName } from "../family/family.ts";
import { familyNamed } from "../family/index.ts";
import { PenalizedLikelihood } from "./penalized-likelihood.ts";
import { smooth } from "./smooth.ts";
import { cubicSpline, type Spline } from "./spline.ts";
import { tensorDesign } from "./tensor.ts";

export interface SurfaceOptions {
  /** Column of the score. Default "score". */
  score?: string;
  /** Column of w_p. Default "wp". */
  wp?: string;
  /** Column of the generation ratio Rg itself, which the surface takes the logarithm of. Default "rg". */
  rg?: string;
  /** Columns with a random intercept each. Default none. */
  groups?: readonly string[];
  /** Default "beta". */
  family?: FamilyName;
  /** Most knots along w_p and along log Rg. Default [5, 5]; fewer where there are fewer different values. */
  knots?: readonly [number, number];
}

export interface ResponseSurface {
  family: FamilyName;
  observations: number;
  /** Knots along w_p and along log Rg. */
  knots: [number, number];
  range: { wp: [number, number]; rg: [number, number] };
  /** Effective degrees of freedom, the random intercepts' included. */
  effectiveDegreesOfFreedom: number;
  /** The beta's φ or the Gaussian's σ. */
  dispersion: number;
  /** Standard deviation of each grouping's intercepts, on the link scale. */
  groupDeviations: { group: string; groups: number; sd: number }[];
  /** The maximized restricted log-likelihood. */
  logLik: number;
  converged: boolean;
  /** What was taken for granted or is doubtful, in words. */
  notes: string[];
  state: SurfaceState;
}

export interface SurfaceState {
  family: Family;
  splines: [Spline, Spline];
  /** Coefficients of the tensor product, w_p slowest, then those of the groups. */
  coefficients: Float64Array;
  /** Of their posterior. */
  precision: Cholesky;
}

const fewestValues = 4;

/** Fits the surface. @throws {TableError} for a value it can't use, {FitError} when there are too few different values */
export function fitSurface(rows: readonly Row[], options: SurfaceOptions = {}): ResponseSurface {
  const {
    score = "score",
    wp = "wp",
    rg = "rg",
    groups = [],
    family: name = "beta",
    knots = [5, 5],
  } = options;
  const family = familyNamed(name);
  const table = tableFromRows(rows);
  const y = numericColumn(table, score);
  const w = numericColumn(table, wp);
  const ratio = numericColumn(table, rg);
  checkValues(family, { score, wp, rg }, y, w, ratio);
  const logRatio = ratio.map(Math.log);
  const notes: string[] = [];
  const splines: [Spline, Spline] = [
    splineOver(w, knots[0], wp, notes),
    splineOver(logRatio, knots[1], `log ${rg}`, notes),
  ];
  const groupings = groups.map((group) => columnNamed(table, group));
  const { design, penalties, levels } = tensorDesign(splines, w, logRatio, groupings);
  const likelihood = new PenalizedLikelihood({ family, y, design, penalties });
  const found = smooth(likelihood);
  if (found === undefined) {
    throw new FitError("the surface's likelihood has no finite value at any start", {
      hint: "look for scores very near 0 or 1",
    });
  }
  const { parameters, evaluation, converged, edf, precision } = found;
  if (!converged) notes.push("the choice of smoothness did not settle: read the surface with care");
  return {
    family: family.name,
    observations: y.length,
    knots: [splines[0].knots.length, splines[1].knots.length],
    range: { wp: rangeOf(w), rg: rangeOf(ratio) },
    effectiveDegreesOfFreedom: edf,
    dispersion: family.dispersion(parameters[penalties.length]!),
    groupDeviations: groups.map((group, g) => ({
      group,
      groups: levels[g]!,
      sd: Math.exp(-0.5 * parameters[2 + g]!),
    })),
    logLik: evaluation.logLik,
    converged,
    notes,
    state: { family, splines, coefficients: evaluation.mode.v, precision },
  };
}

function numericColumn(table: Table, name: string): Float64Array {
  const column = columnNamed(table, name);
  const row = column.labels.findIndex((label) => label === undefined || Number.isNaN(Number(label)));
  if (row < 0) return column.numbers!;
  const label = column.labels[row];
  const problem = label === undefined ? "is missing" : `${JSON.stringify(label)} is no number`;
  throw new TableError(`row ${row + 1}: ${name} ${problem}`, { row, column: name });
}

function checkValues(
  family: Family,
  names: { score: string; wp: string; rg: string },
  y: Float64Array,
  w: Float64Array,
  ratio: Float64Array,
): void {
  const refuse = (row: number, column: string, problem: string, hint?: string): never => {
    throw new TableError(`row ${row + 1}: ${column} ${problem}`, { row, column, hint });
  };
  if (y.every((value) => value === y[0])) {
    throw new FitError(`all ${y.length} values of ${names.score} are ${y[0]}: there is nothing to explain`);
  }
  for (let row = 0; row < y.length; row++) {
    const fault = family.refuse(y[row]!);
    if (fault !== undefined)
      refuse(row, names.score, fault, "bring scores into (0, 1) with a named transform");
    if (!(w[row]! >= 0 && w[row]! <= 1))
      refuse(row, names.wp, `${w[row]} is not in [0, 1]`, "w_p = PLW^0.30103");
    if (!(ratio[row]! > 0 && ratio[row]! < Number.POSITIVE_INFINITY)) {
      refuse(row, names.rg, `${ratio[row]} is no generation ratio: it is positive`);
    }
  }
}

function splineOver(values: Float64Array, most: number, name: string, notes: string[]): Spline {
  const different = new Set(values).size;
  if (different < fewestValues) {
    throw new FitError(
      `a surface needs ${fewestValues} different values of ${name} at least; the data have ${different}`,
      {
        hint: "add cells to the study, or fit one model for each value",
      },
    );
  }
  const size = Math.min(most, different);
  if (size < most) notes.push(`${name} has ${different} different values: ${size} knots, not ${most}`);
  return cubicSpline(values, size);
}

function rangeOf(values: Float64Array): [number, number] {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}
