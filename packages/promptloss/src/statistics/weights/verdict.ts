// A finding in one sentence: the shape, what it rests on, and what it is about.

import { counted } from "../../counted.ts";
import { pValue, trimmed } from "../numbers.ts";
import { FEWEST_DF } from "../rules.ts";
import type { WeightFinding } from "./weight-finding.ts";

export function verdictOf(finding: Omit<WeightFinding, "verdict">): string {
  return `${shapeInWords(finding)} (${grounds(finding)}).`;
}

function shapeInWords(finding: Omit<WeightFinding, "verdict">): string {
  const { shape, means, best, interval, evidence, alike } = finding;
  const [first, last] = [means[0]!.plw, means.at(-1)!.plw];
  const range = `PLW ${trimmed(first)} to ${trimmed(last)}`;
  switch (shape) {
    case "no verdict":
      return (
        `no verdict: ${counted(evidence.cells, "cell")} leave ${evidence.residualDf} residual degrees of freedom, and a verdict ` +
        `needs ${FEWEST_DF}; the means and differences below are all that these data say`
      );
    case "flat":
      return `flat: nothing here tells the weights from ${range} apart`;
    case "peak": {
      const where =
        interval === undefined
          ? `PLW ${span(evidence.inside!.plws)} scores best`
          : `the best weight lies inside, at PLW ${trimmed(best.plw)} (${trimmed(100 * interval.level, 6)} % interval ` +
            `${trimmed(interval.plw.lower)} to ${trimmed(interval.plw.upper)} by Fieller's method)`;
      return `${where}: PLW ${span(evidence.inside!.plws)} beats both ends`;
    }
    case "valley":
      return (
        `the middle is worst: PLW ${span(evidence.inside!.plws)} falls short of both ends, and no best weight lies ` +
        "inside"
      );
    case "rises":
    case "falls":
      return `${shape} from ${range}, with no sign of a best weight inside`;
    case "rises, then flat":
    case "flat, then falls":
      return `${shape}: ${alikeInWords(alike)}`;
    case "flat, then rises":
    case "falls, then flat":
      return `${shape}: ${bestInWords(best.plw, alike)}`;
    case "curved":
      return "curved, but these data don't tell whether a weight inside beats both ends";
    case "irregular":
      return `${middleInWords(finding)}, but no quadratic describes the means: no single best weight is named`;
  }
}

/** Whether weights inside differ from both ends. */
function isAgainstEnds({ correctedInsideP, alpha }: Omit<WeightFinding, "verdict">): boolean {
  return correctedInsideP !== undefined && correctedInsideP < alpha;
}

/** What the window of weights inside is to both ends, where that is told. */
function middleInWords(finding: Omit<WeightFinding, "verdict">): string {
  const { inside, relation } = finding.evidence;
  if (inside === undefined || !isAgainstEnds(finding)) return "the means differ";
  const isValley = (relation.curvature?.estimate ?? 0) > 0;
  return `PLW ${span(inside.plws)} ${isValley ? "falls short of" : "beats"} both ends`;
}

/** "0.05 to 1" of neighbors, "0, 0.1" of others. */
function span(plws: readonly number[]): string {
  return plws.length > 1 ? `${trimmed(plws[0]!)} to ${trimmed(plws.at(-1)!)}` : trimmed(plws[0]!);
}

function alikeInWords(alike: readonly number[] | undefined): string {
  if (alike === undefined || alike.length === 0) return "";
  return alike.length === 1 ? `PLW ${trimmed(alike[0]!)} is best` : `PLW ${span(alike)} are alike`;
}

/** The weight of the highest mean, and those that no corrected pair tells from it where there are others. */
function bestInWords(plw: number, alike: readonly number[] | undefined): string {
  const words = alikeInWords(alike);
  if (alike?.length === 1 && alike[0] === plw) return words;
  return [`PLW ${trimmed(plw)} has the highest mean`, ...(words === "" ? [] : [words])].join("; ");
}

function grounds(finding: Omit<WeightFinding, "verdict">): string {
  const { shape, about, evidence, correctedP, correctedInsideP } = finding;
  const { tasks, relation, theseTasks } = evidence;
  const subject = {
    "this task": "about this task",
    "these tasks": `about these ${tasks.length} tasks, not tasks in general`,
    "tasks in general": `about tasks like these ${tasks.length}`,
  }[about];
  if (shape === "no verdict") return subject;
  const terms = relation.curvature === undefined ? "trend" : "trend or curve";
  const these =
    theseTasks === undefined || shape !== "flat"
      ? []
      : [`for these tasks alone ${p(theseTasks.p)}, uncorrected`];
  return [
    `${terms} ${p(correctedP)}`,
    ...(correctedInsideP !== undefined &&
    ["peak", "valley", "irregular"].includes(shape) &&
    isAgainstEnds(finding)
      ? [`against both ends ${p(correctedInsideP)}`]
      : []),
    ...(shape === "irregular" && evidence.lackOfFit ? [`lack of fit ${p(evidence.lackOfFit.p)}`] : []),
    "corrected for all that was tested",
    subject,
    ...these,
  ].join("; ");
}

function p(value: number): string {
  return value < 2e-16 ? "p < 2e-16" : `p = ${pValue(value)}`;
}
