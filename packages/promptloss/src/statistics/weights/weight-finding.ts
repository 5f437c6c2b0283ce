// A finding as data: the shape of the relation between score and weight, a verdict in words, and the evidence.
import type { Interval } from "../effect/quadratic-effect.ts";
import type { About, InsideTest, PairedDifference, RelationTest, WeightAnalysis } from "./analysis.ts";
import type { WeightLevel } from "./projection.ts";
import type { TaskScale } from "./score-table.ts";

/**
 * peak: weights inside beat both ends. valley: they fall short of both. rises, falls: with no sign of levelling off.
 * The four flattening ones: one part of the range is alike, the other is worse or better. curved: a curve, but not where.
 * irregular: the means bend otherwise than a quadratic. flat: nothing tells the weights apart. no verdict: too few cells.
 */
export type Shape =
  | "peak"
  | "valley"
  | "rises"
  | "falls"
  | "rises, then flat"
  | "flat, then rises"
  | "falls, then flat"
  | "flat, then falls"
  | "curved"
  | "irregular"
  | "flat"
  | "no verdict";

export interface WeightEvidence {
  readonly cells: number;
  readonly blocks: number;
  readonly tasks: readonly string[];
  /** What each task's scores were divided by. */
  readonly scales: readonly TaskScale[];
  /** What the noise is known by. */
  readonly residualDf: number;
  readonly noiseFrom: "replicates" | "quadratic";
  /** On the scaled scores: deviations of what runs share, of what is left, and of tasks' own trend and curvature. */
  readonly deviations: {
    readonly run: number;
    readonly residual: number | undefined;
    readonly curves: readonly number[] | undefined;
  };
  readonly relation: RelationTest;
  readonly theseTasks: RelationTest | undefined;
  readonly lackOfFit: WeightAnalysis["lackOfFit"];
  /** Only where there is a relation. */
  readonly inside: InsideTest | undefined;
}

export interface WeightFinding {
  readonly about: About;
  readonly shape: Shape;
  /** In a sentence, without a capital, with a full stop. */
  readonly verdict: string;
  readonly evidence: WeightEvidence;
  /** Of "any relation", corrected for all statements of the study. */
  readonly correctedP: number;
  /** Of "weights inside beat both ends", corrected likewise; undefined where it was not asked. */
  readonly correctedInsideP: number | undefined;
  readonly alpha: number;
  readonly level: number;
  /** The vertex of the fitted quadratic, wherever it lies; infinite ends where the data set no bound. */
  readonly vertex:
    | ({ readonly wp: number; readonly method: "Fieller"; readonly df: number } & Interval)
    | undefined;
  /** The best weight inside with its interval, cut to what was tried; of a peak alone. */
  readonly interval:
    | { readonly plw: Interval; readonly wp: Interval; readonly level: number; readonly method: "Fieller" }
    | undefined;
  /** Of a peak: the vertex. Of other shapes: the weight of the highest mean, as a description. */
  readonly best: { readonly plw: number; readonly wp: number };
  readonly means: readonly WeightLevel[];
  /** Against the lowest weight, then against the highest, with intervals corrected together. */
  readonly contrasts: readonly PairedDifference[];
  /** Weights that the data don't tell from the best mean; undefined where there is no relation or verdict. */
  readonly alike: readonly number[] | undefined;
}
