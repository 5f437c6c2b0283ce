// Brings scores into the open interval (0, 1) that the beta family needs, by named steps, each recorded with the
// numbers it used: a choice of the analyst's, to be printed with the result.
import { StatisticsError, TableError } from "../errors.ts";

export type ScoreTransformName = "percent" | "min-max" | "squeeze" | "clip";

export interface ScoreTransform {
  name: ScoreTransformName;
  /** clip: the distance kept from 0 and 1. Default 0.001. */
  margin?: number;
}

/** One step as it was applied, for the record. */
export interface AppliedTransform {
  name: ScoreTransformName | "z-score";
  /** What it did, with its formula, in a sentence. */
  description: string;
  /** The numbers it used; min-max has them by group. */
  parameters: Record<string, number>;
}

export interface UnitScores {
  scores: number[];
  applied: AppliedTransform[];
}

/**
 * Applies `steps` in order to `scores`; `groups` (the benchmark of each score) is what min-max works within.
 *
 * percent: y / 100. min-max: (y − min) / (max − min) within each group. squeeze: (y (n − 1) + ½) / n with n the number
 * of scores (Smithson and Verkuilen 2006). clip: into [margin, 1 − margin].
 * @throws {TableError} for a score that a step can't take
 */
export function toUnitInterval(
  scores: readonly number[],
  groups: readonly string[],
  steps: readonly ScoreTransform[],
): UnitScores {
  if (groups.length !== scores.length) {
    throw new StatisticsError(
      `${scores.length} scores with ${groups.length} groups: there must be one for each`,
    );
  }
  for (const [row, y] of scores.entries()) {
    if (!Number.isFinite(y))
      throw new TableError(`row ${row + 1}: the score is ${y}`, { row, column: "score" });
  }
  let current = [...scores];
  const applied: AppliedTransform[] = [];
  for (const step of steps) {
    const { values, record } = apply(step, current, groups);
    current = values;
    applied.push(record);
  }
  return { scores: current, applied };
}

/** What steps that were applied multiply differences of a group's scores by; clipping leaves those inside as they are. */
export function slopeOf(applied: readonly AppliedTransform[], group: string): number {
  let slope = 1;
  for (const { name, parameters } of applied) {
    if (name === "percent") slope /= 100;
    else if (name === "min-max") slope /= parameters[`${group} max`]! - parameters[`${group} min`]!;
    else if (name === "squeeze") slope *= (parameters.n! - 1) / parameters.n!;
    else if (name === "z-score") slope /= parameters[`${group} deviation`]!;
  }
  return slope;
}

interface Step {
  values: number[];
  record: AppliedTransform;
}

function apply(step: ScoreTransform, y: readonly number[], groups: readonly string[]): Step {
  if (step.margin !== undefined && step.name !== "clip") {
    throw new StatisticsError(`${step.name} takes no margin`, { hint: "margin belongs to clip" });
  }
  switch (step.name) {
    case "percent":
      return {
        values: y.map((x) => x / 100),
        record: { name: "percent", description: "y / 100", parameters: {} },
      };
    case "min-max":
      return minMax(y, groups);
    case "squeeze":
      return squeeze(y);
    case "clip":
      return clip(y, step.margin ?? 0.001);
    default:
      throw new StatisticsError(`unknown score transform ${JSON.stringify(step.name)}`, {
        hint: "use percent, min-max, squeeze or clip",
      });
  }
}

function minMax(y: readonly number[], groups: readonly string[]): Step {
  const ranges = new Map<string, [number, number]>();
  for (const [i, x] of y.entries()) {
    const [low, high] = ranges.get(groups[i]!) ?? [x, x];
    ranges.set(groups[i]!, [Math.min(low, x), Math.max(high, x)]);
  }
  const parameters: Record<string, number> = {};
  for (const [group, [low, high]] of ranges) {
    if (low === high) {
      throw new TableError(`min-max: all scores of ${group} are ${low}, which leaves no range to stretch`, {
        column: group,
        hint: "leave that group out, or use percent or squeeze alone",
      });
    }
    parameters[`${group} min`] = low;
    parameters[`${group} max`] = high;
  }
  const values = y.map((x, i) => {
    const [low, high] = ranges.get(groups[i]!)!;
    return (x - low) / (high - low);
  });
  return {
    values,
    record: { name: "min-max", description: "(y − min) / (max − min) within each group", parameters },
  };
}

function squeeze(y: readonly number[]): Step {
  requireClosedInterval("squeeze", y);
  const n = y.length;
  return {
    values: y.map((x) => (x * (n - 1) + 0.5) / n),
    record: {
      name: "squeeze",
      description: "(y (n − 1) + 1/2) / n over all scores (Smithson and Verkuilen 2006)",
      parameters: { n },
    },
  };
}

function clip(y: readonly number[], margin: number): Step {
  if (!(margin > 0 && margin < 0.5))
    throw new StatisticsError(`clip: margin ${margin} is not between 0 and 0.5`);
  requireClosedInterval("clip", y);
  return {
    values: y.map((x) => Math.min(Math.max(x, margin), 1 - margin)),
    record: { name: "clip", description: "into [margin, 1 − margin]", parameters: { margin } },
  };
}

function requireClosedInterval(name: string, y: readonly number[]): void {
  const row = y.findIndex((x) => x < 0 || x > 1);
  if (row < 0) return;
  throw new TableError(`row ${row + 1}: ${name} needs scores from 0 to 1, not ${y[row]}`, {
    row,
    column: "score",
    hint: "put percent or min-max before it",
  });
}
