// The next run of a search over weight and learning rate: a design first, then the run of which the choice's score is
// expected to gain the most. A function of the finished runs and the seed alone, so a search resumes to the same runs.
import { choose } from "./choose.ts";
import type { KnownNoise, Observation, Point } from "./observations.ts";
import { type Posterior, posterior } from "./posterior.ts";
import type { Prior } from "./prior.ts";

export interface SearchSpace {
  /** w_p, ascending. */
  readonly wps: readonly number[];
  /** Log base 10, ascending; one undefined where it is not searched. */
  readonly logRates: readonly (number | undefined)[];
  /** Levels of all else that is searched, each as one name; nothing else where left out. */
  readonly others?: readonly string[] | undefined;
  /** Where the design stands, with the first of the others: the prior's weight, the recipe's learning rate. Of the lists above. */
  readonly center: { readonly wp: number; readonly logRate: number | undefined };
}

export interface Proposal {
  readonly point: Point;
  /**
   * Expected gain of the choice's score by this run; undefined in the design, which goes on to untried places while all runs
   * have one score.
   */
  readonly gain: number | undefined;
}

export interface ProposeOptions {
  readonly prior: Prior;
  readonly noise?: KnownNoise | undefined;
  readonly seed?: number | undefined;
  readonly draws?: number | undefined;
}

/**
 * Both ends and the center, the center again for the noise, then the outer learning rates at the center. Every search
 * begins with these, as far as its budget goes.
 */
export function designPoints({ wps, logRates, others = [], center }: SearchSpace): Point[] {
  const { wp, logRate } = center;
  const [other] = others;
  const ends = [...new Set([wps[0]!, wps.at(-1)!])].filter((end) => end !== wp);
  const rates = [...new Set([logRates[0], logRates.at(-1)])].filter((rate) => rate !== logRate);
  return [
    ...[wp, ...ends].map((each) => ({ wp: each, logRate, other })),
    { wp, logRate, other },
    ...rates.map((each) => ({ wp, logRate: each, other })),
    ...others.slice(1).map((each) => ({ wp, logRate, other: each })),
  ];
}

export function spacePoints({ wps, logRates, others = [] }: SearchSpace): Point[] {
  return (others.length === 0 ? [undefined] : others).flatMap((other) =>
    logRates.flatMap((logRate) => wps.map((wp) => ({ wp, logRate, other }))),
  );
}

/**
 * The next `count` runs after some. Runs of one batch are chosen one by one, each as if those before it had come out as
 * expected.
 */
export function propose(
  space: SearchSpace,
  runs: readonly Observation[],
  count: number,
  options: ProposeOptions,
): Proposal[] {
  const proposals: Proposal[] = designPoints(space)
    .slice(runs.length, runs.length + count)
    .map((point) => ({ point, gain: undefined }));
  if (proposals.length > 0) return proposals;
  const points = spacePoints(space);
  const believed: Observation[] = [...runs];
  while (proposals.length < count) {
    const found = posterior(points, believed, options);
    const isTold = found.noise !== undefined;
    const { at, gain } = isTold ? nextOf(found) : untried(found, believed);
    const point = points[at]!;
    proposals.push({ point, gain });
    believed.push({ ...point, score: isTold ? meanOf(found, at) : believed[0]!.score });
  }
  return proposals;
}

/** Where nothing is expected to change the choice, the choice itself is run again, which tells the noise. */
function nextOf(found: Posterior): { at: number; gain: number } {
  const { best, oneMoreRun } = choose(found, { tolerance: 0 });
  return oneMoreRun !== undefined && oneMoreRun.gain > 0 ? oneMoreRun : { at: best, gain: 0 };
}

/** The place of the fewest runs that is likeliest the best. */
function untried(found: Posterior, runs: readonly Observation[]): { at: number; gain: undefined } {
  const { candidates } = choose(found, { tolerance: 0 });
  const tries = found.points.map(
    ({ wp, logRate, other }) =>
      runs.filter((run) => run.wp === wp && run.logRate === logRate && run.other === other).length,
  );
  const fewest = Math.min(...tries);
  const open = [...candidates.keys()].filter((i) => tries[i] === fewest);
  const at = open.reduce((a, b) => (candidates[b]!.probabilityBest > candidates[a]!.probabilityBest ? b : a));
  return { at, gain: undefined };
}

function meanOf({ draws }: Posterior, at: number): number {
  return draws.reduce((sum, f) => sum + f[at]!, 0) / draws.length;
}
