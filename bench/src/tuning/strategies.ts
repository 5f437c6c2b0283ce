// Ways to spend a number of runs and then choose, of equal length each, so that equal runs are equal training tokens.
import {
  choose,
  flatPrior,
  type Observation,
  type Point,
  type Prior,
  posterior,
  priorFor,
  propose,
  type RandomSource,
  type SearchSpace,
  spacePoints,
} from "promptloss/statistics";
import type { Truth } from "./truths.ts";

export interface SearchTask {
  readonly truth: Truth;
  readonly space: SearchSpace;
  readonly runs: number;
  readonly random: RandomSource;
  readonly seed: number;
}

/** The point that is chosen after all runs. */
export type Strategy = (task: SearchTask) => Point;

const DRAWS = 600;

/** What `promptloss tune` does but for its floor under scores far below the best, with a prior by the generation ratio. */
export function tuned(priorOf: (generationRatio: number) => Prior): Strategy {
  return ({ truth, space, runs, random, seed }) => {
    const prior = priorOf(truth.generationRatio);
    const done: Observation[] = [];
    while (done.length < runs)
      for (const { point } of propose(space, done, 1, { prior, seed, draws: DRAWS }))
        done.push({ ...point, score: truth.run(point, random) });
    const points = spacePoints(space);
    return points[choose(posterior(points, done, { prior, seed, draws: DRAWS }), { tolerance: 0 }).best]!;
  };
}

/** Evenly over the weights, at three rates where rates are searched. */
function gridPoints({ wps, logRates }: SearchSpace, runs: number): Point[] {
  const rates = Math.min(logRates.length, 3);
  const perRate = Math.ceil(runs / rates);
  const spread = <T>(list: readonly T[], count: number): T[] =>
    Array.from(
      { length: count },
      (_, i) =>
        list[count === 1 ? Math.floor(list.length / 2) : Math.round((i * (list.length - 1)) / (count - 1))]!,
    );
  return spread(logRates, rates)
    .flatMap((logRate) => spread(wps, Math.min(perRate, wps.length)).map((wp) => ({ wp, logRate })))
    .slice(0, runs);
}

function argmaxOf(points: readonly Point[], { truth, random }: SearchTask): Point {
  const scores = points.map((point) => truth.run(point, random));
  return points[scores.indexOf(Math.max(...scores))]!;
}

/** A grid; the best score seen. */
const grid: Strategy = (task) => argmaxOf(gridPoints(task.space, task.runs), task);

/** A grid; the weight that the posterior chooses. */
const gridPosterior: Strategy = ({ truth, space, runs, random, seed }) => {
  const done = gridPoints(space, runs).map((point) => ({ ...point, score: truth.run(point, random) }));
  const points = spacePoints(space);
  const prior = priorFor({ generationRatio: truth.generationRatio });
  return points[choose(posterior(points, done, { prior, seed, draws: DRAWS }), { tolerance: 0 }).best]!;
};

/** Points at random; the best score seen. */
const random: Strategy = (task) => {
  const points = spacePoints(task.space);
  const drawn = Array.from(
    { length: task.runs },
    () => points[Math.floor(task.random.uniform() * points.length)]!,
  );
  return argmaxOf(drawn, task);
};

/** Half as many points as runs, each twice; the best mean. */
const argmax: Strategy = (task) => {
  const points = gridPoints(task.space, Math.max(2, Math.floor(task.runs / 2)));
  const means = points.map((point) => {
    const repeats = Math.floor(task.runs / points.length);
    let sum = 0;
    for (let i = 0; i < repeats; i++) sum += task.truth.run(point, task.random) / repeats;
    return sum;
  });
  return points[means.indexOf(Math.max(...means))]!;
};

/**
 * A tree-structured Parzen estimator (Bergstra et al. 2011) over the space's points: after four at random, the point of
 * the highest ratio of the density of the best quarter of runs to that of the rest; each dimension has a Gaussian
 * kernel of its own and a flat part. The best score seen is chosen.
 */
const tpe: Strategy = (task) => {
  const { space, truth, runs, random: source } = task;
  const points = spacePoints(space);
  const width = { wp: 0.2, logRate: 0.35 };
  const density = (sample: readonly Point[], at: Point): number =>
    sample.reduce(
      (sum, each) =>
        sum +
        Math.exp(
          -(((each.wp - at.wp) / width.wp) ** 2) / 2 -
            (((each.logRate ?? 0) - (at.logRate ?? 0)) / width.logRate) ** 2 / 2,
        ),
      0.3,
    ) /
    (sample.length + 1);
  const done: { point: Point; score: number }[] = [];
  while (done.length < runs) {
    let point = points[Math.floor(source.uniform() * points.length)]!;
    if (done.length >= 4) {
      const sorted = [...done].sort((a, b) => b.score - a.score).map((each) => each.point);
      const cut = Math.max(1, Math.round(sorted.length / 4));
      const [good, rest] = [sorted.slice(0, cut), sorted.slice(cut)];
      // As the estimator does: candidates from the good density, here by rejection over the points.
      const candidates = Array.from({ length: 12 }, () => {
        for (;;) {
          const drawn = points[Math.floor(source.uniform() * points.length)]!;
          if (source.uniform() < density(good, drawn)) return drawn;
        }
      });
      const ratio = (at: Point): number => density(good, at) / density(rest, at);
      point = candidates.reduce((a, b) => (ratio(b) > ratio(a) ? b : a));
    }
    done.push({ point, score: truth.run(point, source) });
  }
  return done.reduce((a, b) => (b.score > a.score ? b : a)).point;
};

export const strategies: Readonly<Record<string, Strategy>> = {
  tune: tuned((generationRatio) => priorFor({ generationRatio })),
  "tune, flat prior": tuned(() => flatPrior),
  "grid, posterior": gridPosterior,
  grid,
  "argmax of replicates": argmax,
  random,
  TPE: tpe,
};
