// Rules that the statistics do not have, on the same studies: what they would claim shows what ours are for.
import { analyzeWeights, studentTwoSided } from "promptloss/statistics";
import type { ResultRow } from "promptloss/study";

export interface OtherRules {
  /** p of any relation by a normal in place of Student's t, otherwise as ours. */
  readonly byNormal: number;
  /** The same with each score taken for a run of its own: six benchmarks of one run count as six runs. */
  readonly byScores: number;
  /** Of the vertex, 95 % by the delta method; undefined where there are too few weights. */
  readonly delta: { readonly lower: number; readonly upper: number } | undefined;
}

const NORMAL_DF = 1e9;

/** Of a study of one generation ratio. */
export function otherRules(rows: readonly ResultRow[]): OtherRules {
  const { projection, noise, vertex, relation } = analyzeWeights(
    rows.map(({ cell, plw, wp, factors, task, value }) => ({
      ...{ cell, plw, wp, task, score: value },
      block: `seed ${factors.seed}`,
    })),
    0.95,
  );
  const { tasks, curveTerms, coordinates, meanCoordinates, pureMean, pureTasks, slopeAt } = projection;
  // All that the weights' means and the tasks' own curves leave, over all scores.
  const beyond = coordinates.flatMap((own) => [...own.subarray(curveTerms)]);
  const squares = pureMean.sum + pureTasks.sum + beyond.reduce((sum, x) => sum + x * x, 0);
  const df = pureMean.df + pureTasks.df + beyond.length;
  const error = Math.sqrt(squares / df / tasks);
  const byScores = Math.min(
    ...[...meanCoordinates.subarray(0, curveTerms)].map((x) => curveTerms * studentTwoSided(x / error, df)),
  );
  const terms = [relation.trend, ...(relation.curvature === undefined ? [] : [relation.curvature])];
  const byNormal = Math.min(...terms.map(({ t }) => terms.length * studentTwoSided(t, NORMAL_DF)));
  if (vertex === undefined || slopeAt === undefined) return { byNormal, byScores, delta: undefined };
  const at = slopeAt[0].map((x, k) => x + vertex.wp * slopeAt[1][k]!);
  const reach = (1.96 * Math.sqrt(noise.covariance(at, at))) / Math.abs(2 * vertex.curvature);
  return { byNormal, byScores, delta: { lower: vertex.wp - reach, upper: vertex.wp + reach } };
}
