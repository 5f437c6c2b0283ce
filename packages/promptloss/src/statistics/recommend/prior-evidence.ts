// The facts and the gaps that a choice is printed with. Facts are the same for every ratio: what they are worth for it
// is in the prior's width, so that no ratio has a rule of its own.
import type { NormalizationName, TaskGroup } from "../choice/index.ts";
import { type Fact, facts, measuredRatios, studiedParameters, unknowns } from "./paper-facts.ts";
import { shareFact } from "./translate-share.ts";

export function priorEvidence(
  ratio: number,
  taskGroup: TaskGroup | undefined,
  normalization: NormalizationName,
): Fact[] {
  const known: Fact[] =
    taskGroup === "long-generation" ? [facts.nearOneIsBest] : [facts.critical, facts.smallIsBest];
  const elsewhere: Fact[] = near(ratio, measuredRatios.short)
    ? []
    : [facts.longData, facts.open, facts.followUp, facts.carried];
  return [...known, ...elsewhere, facts.prior, shareFact(ratio, normalization)];
}

/** What is not known of the question, in words. */
export function unknownsFor(
  ratio: number,
  taskGroup: TaskGroup | undefined,
  parameters: number | undefined,
): string[] {
  const other = !near(ratio, measuredRatios.short);
  return [
    ...(taskGroup === "long-generation" ? [unknowns.longGeneration] : []),
    ...(other ? [unknowns.otherRatios, unknowns.longData] : []),
    ...(parameters === undefined || Math.abs(Math.log10(parameters / studiedParameters)) > 0.3
      ? [unknowns.size]
      : []),
    unknowns.rate,
  ];
}

/** Within a factor of 1.25, as ratios of one data set are in `study results`. */
function near(a: number, b: number): boolean {
  return Math.abs(Math.log(a / b)) <= Math.log(1.25);
}
