// What may be said of prompt loss weights by an analysis, once its p-values are corrected for all that a study tests:
// the shape of the relation, a verdict in words, and the evidence. Frozen plain data; the report and recommendations
// read it.
import { plwOfWp } from "../effect/plw.ts";
import { type EndTests, endTests, pairedDifferences, type WeightAnalysis } from "./analysis.ts";
import type { CorrectedStages, StatementTests } from "./correction.ts";
import { verdictOf } from "./verdict.ts";
import type { Shape, WeightFinding } from "./weight-finding.ts";

/** What an analysis has to say to corrections over a study: p of "any relation". */
export function relationP(analysis: WeightAnalysis): number {
  return analysis.judged && Number.isFinite(analysis.relation.p) ? analysis.relation.p : 1;
}

/** The way in which the curve turns: −1 for a valley. */
function turnOf({ relation }: WeightAnalysis): 1 | -1 {
  return (relation.curvature?.estimate ?? 0) > 0 ? -1 : 1;
}

/** What a study's correction says of an analysis; `ends` where the relation is significant and weights lie inside. */
export interface CorrectedAnalysis {
  /** Of any relation. */
  readonly relation: number;
  readonly ends:
    | {
        readonly tests: EndTests;
        /** Weights inside against the lowest weight, against the highest, and one window against both. */
        readonly corrected: { readonly first: number; readonly last: number; readonly inside: number };
      }
    | undefined;
}

/** An analysis' tests in the order in which they are asked; and what their corrected p-values say of it. */
export function stagesOf(analysis: WeightAnalysis): {
  readonly stages: StatementTests["stages"];
  readonly read: (corrected: CorrectedStages) => CorrectedAnalysis;
} {
  let tests: EndTests | undefined;
  const stages = [
    () => [relationP(analysis)],
    () => {
      tests = endTests(analysis, turnOf(analysis));
      return tests.inside === undefined ? [] : [tests.first, tests.last];
    },
    () => (tests?.inside === undefined ? [] : [tests.inside.p]),
  ];
  return {
    stages,
    read([relation, ends, inside]) {
      const [first, last] = ends ?? [];
      return {
        relation: relation?.[0] ?? 1,
        ends:
          tests === undefined || first === undefined || last === undefined
            ? undefined
            : { tests, corrected: { first, last, inside: inside?.[0] ?? 1 } },
      };
    },
  };
}

export interface FindingOptions {
  readonly alpha: number;
  readonly level: number;
  readonly corrected: CorrectedAnalysis;
  /** Compute the table of differences, which no verdict needs. Default true. */
  readonly differences?: boolean;
}

export function findingOf(analysis: WeightAnalysis, options: FindingOptions): WeightFinding {
  const { alpha, level, corrected, differences = true } = options;
  const { about, projection, variances, vertex } = analysis;
  const { levels } = projection;
  const shape = shapeOf(analysis, alpha, corrected);
  const peak = shape === "peak" ? vertex : undefined;
  const highest = levels.reduce((top, { mean }, k) => (mean > levels[top]!.mean ? k : top), 0);
  const isTold = differences && shape !== "flat" && shape !== "no verdict";
  const finding = {
    ...{ about, shape, evidence: evidenceOf(analysis, corrected) },
    ...{ correctedP: corrected.relation, correctedInsideP: corrected.ends?.corrected.inside, alpha, level },
    vertex: vertex && {
      wp: vertex.wp,
      method: "Fieller" as const,
      df: vertex.interval.df,
      lower: vertex.interval.lower,
      upper: vertex.interval.upper,
    },
    interval: peak && intervalOf(peak, levels, level),
    best: peak
      ? { wp: peak.wp, plw: plwOfWp(peak.wp) }
      : { wp: levels[highest]!.wp, plw: levels[highest]!.plw },
    means: levels,
    contrasts:
      differences && variances.df > 0 ? pairedDifferences(analysis, againstEnds(levels.length), level) : [],
    alike: isTold ? alikeOf(analysis, highest, alpha) : undefined,
  };
  return deepFreeze({ ...finding, verdict: verdictOf(finding) });
}

function evidenceOf(
  { table, variances, relation, theseTasks, lackOfFit }: WeightAnalysis,
  { ends }: CorrectedAnalysis,
): WeightFinding["evidence"] {
  return {
    cells: table.cells.length,
    blocks: table.blocks,
    tasks: table.scales.map(({ task }) => task),
    scales: table.scales,
    residualDf: variances.df,
    noiseFrom: variances.from,
    deviations: {
      run: Math.sqrt(variances.run),
      residual: root(variances.residual),
      curves: variances.curves,
    },
    ...{ relation, theseTasks, lackOfFit },
    inside: ends?.tests.inside,
  };
}

/** Of a best weight inside, cut at the weights that were tried. */
function intervalOf(
  { interval }: NonNullable<WeightAnalysis["vertex"]>,
  levels: WeightAnalysis["projection"]["levels"],
  level: number,
): WeightFinding["interval"] {
  const [low, high] = [levels[0]!.wp, levels.at(-1)!.wp];
  const clip = (x: number): number => Math.min(high, Math.max(low, x));
  const wp = { lower: clip(interval.lower), upper: clip(interval.upper) };
  return { plw: { lower: plwOfWp(wp.lower), upper: plwOfWp(wp.upper) }, wp, level, method: "Fieller" };
}

/** Every level against the lowest, then against the highest. */
function againstEnds(levels: number): [number, number][] {
  const last = levels - 1;
  const all = Array.from({ length: levels }, (_, k) => k);
  return [
    ...all.filter((k) => k !== 0).map((k): [number, number] => [k, 0]),
    ...all.filter((k) => k !== last && k !== 0).map((k): [number, number] => [k, last]),
  ];
}

/**
 * A claim beyond the relation rests on a corrected test. What speaks against one does so uncorrected: a curvature against
 * "rises" and "falls", a lack of fit against a best weight.
 */
function shapeOf(
  { judged, relation, lackOfFit, vertex, projection }: WeightAnalysis,
  alpha: number,
  { relation: relationP, ends }: CorrectedAnalysis,
): Shape {
  if (!judged) return "no verdict";
  if (!(relationP < alpha)) return "flat";
  const { trend, curvature } = relation;
  const terms = curvature === undefined ? 1 : 2;
  const curved = curvature !== undefined && curvature.p * terms < alpha;
  // As much more than its own as the relation's p-value was corrected.
  const sloped = trend.p * terms * (relation.p > 0 ? relationP / relation.p : 1) < alpha;
  const bent = lackOfFit !== undefined && lackOfFit.p < alpha;
  const { levels } = projection;
  const tried = vertex !== undefined && vertex.wp > levels[0]!.wp && vertex.wp < levels.at(-1)!.wp;
  const peaked = curvature === undefined || curvature.estimate <= 0;
  if (ends !== undefined && ends.corrected.inside < alpha && (levels.length < 4 || tried)) {
    if (bent) return "irregular";
    return peaked ? "peak" : "valley";
  }
  if (!curved && sloped) return trend.estimate > 0 ? "rises" : "falls";
  // A curve: which end do the weights inside differ from?
  const first = ends !== undefined && ends.corrected.first < alpha;
  const last = ends !== undefined && ends.corrected.last < alpha;
  if (first && !last) return peaked ? "rises, then flat" : "falls, then flat";
  if (last && !first) return peaked ? "flat, then falls" : "flat, then rises";
  if (sloped && trend.estimate > 0) return peaked ? "rises, then flat" : "flat, then rises";
  if (sloped) return peaked ? "flat, then falls" : "falls, then flat";
  return bent ? "irregular" : "curved";
}

/** The weights that no corrected comparison of all pairs tells from the highest mean. */
function alikeOf(analysis: WeightAnalysis, highest: number, alpha: number): number[] {
  const { levels } = analysis.projection;
  const pairs: [number, number][] = [];
  for (let a = 0; a < levels.length; a++) for (let b = a + 1; b < levels.length; b++) pairs.push([a, b]);
  const tests = pairedDifferences(analysis, pairs, 1 - alpha);
  return levels
    .filter((_, k) => {
      if (k === highest) return true;
      const at = pairs.findIndex(([a, b]) => (a === k && b === highest) || (b === k && a === highest));
      return !(tests[at]!.p < alpha);
    })
    .map(({ plw }) => plw);
}

function root(x: number | undefined): number | undefined {
  return x === undefined ? undefined : Math.sqrt(x);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
