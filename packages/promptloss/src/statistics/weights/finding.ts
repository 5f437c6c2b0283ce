// What may be said of prompt loss weights by an analysis, once its p-values are corrected for all that a study tests:
// the shape of the relation, a verdict in words, and the evidence. Frozen plain data; the report and recommendations
// read it.
import { plwOfWp } from "../effect/plw.ts";
import { type EndTests, endTests, pairedDifferences, type WeightAnalysis } from "./analysis.ts";
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

/** Tests of the middle against both ends, for analyses with a relation. */
export function insideTests(analysis: WeightAnalysis): EndTests {
  return endTests(analysis, turnOf(analysis));
}

/** Both are corrected over the study; `ends` only where the relation is significant. */
export function findingOf(
  analysis: WeightAnalysis,
  options: {
    readonly alpha: number;
    readonly level: number;
    readonly correctedP: number;
    readonly ends?: EndTests | undefined;
    readonly correctedInsideP?: number | undefined;
    /** Compute the table of differences, which no verdict needs. Default true. */
    readonly differences?: boolean;
  },
): WeightFinding {
  const { alpha, level, correctedP, ends, correctedInsideP, differences = true } = options;
  const { about, table, projection, variances, relation, theseTasks, lackOfFit, vertex } = analysis;
  const { levels } = projection;
  const shape = shapeOf(analysis, alpha, correctedP, ends, correctedInsideP);
  const last = levels.length - 1;
  const others = levels.map((_, k) => k);
  const versus = (end: number): [number, number][] => others.filter((k) => k !== end).map((k) => [k, end]);
  const pairs = [...versus(0), ...versus(last).filter(([k]) => k !== 0)];
  const highest = levels.reduce((top, { mean }, k) => (mean > levels[top]!.mean ? k : top), 0);
  const peak = shape === "peak" && vertex !== undefined;
  const low = levels[0]!.wp;
  const high = levels[last]!.wp;
  const clip = (x: number): number => Math.min(high, Math.max(low, x));
  const wp = vertex && { lower: clip(vertex.interval.lower), upper: clip(vertex.interval.upper) };
  const finding = {
    about,
    shape,
    evidence: {
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
      inside: ends?.inside,
    },
    ...{ correctedP, correctedInsideP, alpha, level },
    vertex: vertex && {
      wp: vertex.wp,
      method: "Fieller" as const,
      df: vertex.interval.df,
      lower: vertex.interval.lower,
      upper: vertex.interval.upper,
    },
    interval:
      peak && wp
        ? {
            plw: { lower: plwOfWp(wp.lower), upper: plwOfWp(wp.upper) },
            wp,
            level,
            method: "Fieller" as const,
          }
        : undefined,
    best: peak
      ? { wp: vertex.wp, plw: plwOfWp(vertex.wp) }
      : { wp: levels[highest]!.wp, plw: levels[highest]!.plw },
    means: levels,
    contrasts: differences && variances.df > 0 ? pairedDifferences(analysis, pairs, level) : [],
    alike:
      !differences || shape === "flat" || shape === "no verdict"
        ? undefined
        : alikeOf(analysis, highest, alpha),
  };
  return deepFreeze({ ...finding, verdict: verdictOf(finding) });
}

function shapeOf(
  { judged, relation, lackOfFit, vertex, projection }: WeightAnalysis,
  alpha: number,
  correctedP: number,
  ends: EndTests | undefined,
  insideP: number | undefined,
): Shape {
  if (!judged) return "no verdict";
  if (!(correctedP < alpha) || ends === undefined) return "flat";
  const { trend, curvature } = relation;
  const terms = curvature === undefined ? 1 : 2;
  const curved = curvature !== undefined && curvature.p * terms < alpha;
  const sloped = trend.p * terms < alpha;
  const bent = lackOfFit !== undefined && lackOfFit.p < alpha;
  const { levels } = projection;
  const tried = vertex !== undefined && vertex.wp > levels[0]!.wp && vertex.wp < levels.at(-1)!.wp;
  const peaked = curvature === undefined || curvature.estimate <= 0;
  if (insideP !== undefined && insideP < alpha && (levels.length < 4 || tried)) {
    if (bent) return "irregular";
    return peaked ? "peak" : "valley";
  }
  if (!curved && sloped) return trend.estimate > 0 ? "rises" : "falls";
  // A curve: which end do the weights inside differ from?
  const first = ends.first < alpha;
  const last = ends.last < alpha;
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
