// Why a flat prior does as well on the replayed study: the same searches with the prior's parts changed one at a time, none of
// which the product has. "Places alike": a peak is as likely anywhere. "Half no course": even odds for no expected course.
import { flatPrior, type Prior, type PriorPart, priorFor } from "promptloss/statistics";
import { markdownTable } from "../lib/report.ts";
import { tuned } from "./strategies.ts";
import { inWords, meanOf } from "./summary.ts";

function isPeak({ shape }: PriorPart): boolean {
  return shape.kind === "peak";
}

function isNone({ shape }: PriorPart): boolean {
  return shape.kind === "flat";
}

function sumOf(parts: readonly PriorPart[]): number {
  return parts.reduce((sum, { weight }) => sum + weight, 0);
}

function placesAlike(prior: Prior): Prior {
  const peaks = prior.parts.filter(isPeak);
  const each = sumOf(peaks) / peaks.length;
  return { ...prior, parts: prior.parts.map((part) => (isPeak(part) ? { ...part, weight: each } : part)) };
}

function halfNoCourse(prior: Prior): Prior {
  const share = 0.5 / (1 - sumOf(prior.parts.filter(isNone)));
  return {
    ...prior,
    parts: prior.parts.map((part) => ({ ...part, weight: isNone(part) ? 0.5 : share * part.weight })),
  };
}

/** The last is what the others are compared with. */
const priors: Readonly<Record<string, (ratio: number) => Prior>> = {
  "the paper's facts": (generationRatio) => priorFor({ generationRatio }),
  "places alike": (generationRatio) => placesAlike(priorFor({ generationRatio })),
  "half no course": (generationRatio) => halfNoCourse(priorFor({ generationRatio })),
  flat: () => flatPrior,
};

/**
 * @param regrets of a strategy on all truths and replicates, always in the same order
 * @returns a table of Markdown
 */
export function priorsTable(
  budgets: readonly number[],
  regrets: (strategy: ReturnType<typeof tuned>, runs: number) => readonly number[],
): string {
  return markdownTable(
    ["runs", "prior", "regret", "less the flat prior's"],
    budgets.flatMap((runs) => {
      const found = Object.entries(priors).map(
        ([name, prior]) => [name, regrets(tuned(prior), runs)] as const,
      );
      const [, flat] = found.at(-1)!;
      return found.map(([name, own]) => [
        ...[String(runs), name, inWords(meanOf(own))],
        name === "flat" ? "" : inWords(meanOf(own.map((regret, i) => regret - flat[i]!))),
      ]);
    }),
  );
}
