// How much a statement depends on single tasks and blocks: the same analysis without each of them. Pure.
import { analyzeWeights, StatisticsError, type WeightAnalysis } from "../../statistics/index.ts";
import type { StudyFit } from "../../study/results/fit-study.ts";
import { weightRow } from "../../study/results/scored-rows.ts";

export interface LeftOut {
  /** Undefined: nothing, the statement itself. */
  readonly what: string | undefined;
  /** Of any relation, uncorrected. */
  readonly p: number;
  /** The best w_p of the fitted quadratic with its interval; undefined where the curve has no top. */
  readonly top: { readonly wp: number; readonly lower: number; readonly upper: number } | undefined;
}

/** Empty where there is nothing to leave out. */
export function leaveOneOut({ rows, finding }: StudyFit): readonly LeftOut[] {
  if (finding === undefined) return [];
  const kinds = (["benchmark", "block"] as const).flatMap((key) => {
    const names = [...new Set(rows.map((row) => row[key]))];
    return names.length < 2 ? [] : names.map((name) => ({ key, name }));
  });
  if (kinds.length === 0) return [];
  const analysisOf = (kept: StudyFit["rows"], what: string | undefined): LeftOut[] => {
    try {
      // Without one of four tasks the subject would change; it stays what it is.
      return [leftOut(analyzeWeights(kept.map(weightRow), finding.level, finding.about), what)];
    } catch (error) {
      if (error instanceof StatisticsError) return [];
      throw error;
    }
  };
  return [
    ...analysisOf(rows, undefined),
    ...kinds.flatMap(({ key, name }) =>
      analysisOf(
        rows.filter((row) => row[key] !== name),
        name,
      ),
    ),
  ];
}

function leftOut({ relation, vertex, projection }: WeightAnalysis, what: string | undefined): LeftOut {
  const { levels } = projection;
  const [low, high] = [levels[0]!.wp, levels.at(-1)!.wp];
  const clip = (wp: number): number => Math.min(high, Math.max(low, wp));
  const topped = vertex !== undefined && (relation.curvature?.estimate ?? 0) < 0;
  return {
    ...{ what, p: relation.p },
    top: topped
      ? {
          wp: clip(vertex.wp),
          lower: clip(vertex.interval.lower),
          upper: clip(vertex.interval.upper),
        }
      : undefined,
  };
}
