// What is observed of a choice: a score for each run, higher is better, at a weight and what else was varied.
import { StatisticsError } from "../errors.ts";

/** Where a run stands, or would. */
export interface Point {
  /** w_p of its prompt loss weight, in [0, 1]. */
  readonly wp: number;
  /** Log base 10 of the learning rate; the same for all where it was not varied. */
  readonly logRate?: number | undefined;
  /** Levels of all else that is searched, as one name; the same for all where nothing else is. */
  readonly other?: string | undefined;
  /** Natural log of its data's generation ratio over the one that is asked about; 0 where left out. */
  readonly logRatio?: number | undefined;
}

export interface Observation extends Point {
  /** In the objective's units, higher is better: a loss is negated. */
  readonly score: number;
  /** Runs of one block share an unknown level: a model, a data set. One block where left out. */
  readonly block?: string | undefined;
}

/** What is known of one run's noise before the observations, as from a pilot. */
export interface KnownNoise {
  /** Standard deviation of a score between runs that differ in their seed alone. */
  readonly sd: number;
  /** Degrees of freedom that stand behind it. */
  readonly df: number;
}

/** @throws {StatisticsError} for a score or a place that is no finite number */
export function checkObservations(observations: readonly Observation[]): void {
  for (const [i, { wp, score, logRate = 0, logRatio = 0 }] of observations.entries()) {
    if (!(wp >= 0 && wp <= 1))
      throw new StatisticsError(`run ${i + 1}: w_p lies in [0, 1], got ${wp}`, {
        hint: "a choice is over prompt loss weights from 0 to 1",
      });
    if (![score, logRate, logRatio].every(Number.isFinite))
      throw new StatisticsError(`run ${i + 1}: a score, learning rate or generation ratio is not finite`);
  }
}

/**
 * Scores of runs that diverged have no place on a Gaussian's scale: those that are not finite, and those farther below
 * the best than `reach` times the best half's spread, are set to that floor. With fewer than three finite scores only
 * those that are not finite change, to the lowest.
 */
export function floored(scores: readonly number[], reach = 4): number[] {
  const finite = scores.filter(Number.isFinite).sort((a, b) => b - a);
  const best = finite[0];
  if (best === undefined) return scores.map(() => 0);
  const median = finite[Math.floor((finite.length - 1) / 2)]!;
  const floor =
    finite.length < 3 || median === best
      ? finite.at(-1)!
      : Math.max(finite.at(-1)!, best - reach * (best - median));
  return scores.map((score) => (Number.isFinite(score) ? Math.max(score, floor) : floor));
}
