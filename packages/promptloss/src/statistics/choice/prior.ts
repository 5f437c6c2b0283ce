// What is believed about the best weight before any run of one's own: a mixture of shapes over w_p. Its center is the
// paper's verified fit, its width grows with the distance from what the paper measured. Everything is continuous in
// log Rg. The facts are the paper's (recommend/paper-facts.ts); all widths and shares below are our choice.
import { wpOfPlw } from "../effect/plw.ts";
import { StatisticsError } from "../errors.ts";
import { criticalPlw, measuredRatios, studiedParameters } from "../recommend/paper-facts.ts";
import { standardNormalBelow } from "../special.ts";
import { type NormalizationName, plwOfShare, promptShare, sharesDifferently } from "./prompt-share.ts";
import type { Shape } from "./shapes.ts";
import { type TaskGroup, taskGroups } from "./task-groups.ts";

export interface PriorQuestion {
  /** Rg: completion tokens over prompt tokens; undefined where it is not known, which is as wide as the prior gets. */
  readonly generationRatio: number | undefined;
  /** Left out: over all tasks, which the paper's fit is, too. */
  readonly taskGroup?: TaskGroup | undefined;
  readonly normalization?: NormalizationName | undefined;
  /** Of the model that is trained; the sizes of the paper's where left out. */
  readonly parameters?: number | undefined;
}

export interface PriorPart {
  readonly shape: Shape;
  /** Probabilities; they sum to 1. */
  readonly weight: number;
}

export interface Prior {
  readonly parts: readonly PriorPart[];
  /** Of the peak's position on w_p: the center if the weight carries over, and if the prompt's share does. */
  readonly center: number;
  readonly shareCenter: number;
  readonly sd: number;
  readonly flat: number;
}

/** All our choice; each is named where the recommendation explains itself. */
export const priorChoices = {
  /** Of the peak's w_p at the paper's own ratio: its stated 0.01 to 0.5 is 0.25 to 0.81 on w_p. */
  baseSd: 0.18,
  /** For each unit of |log(Rg / 0.08)|. */
  sdPerLogRatio: 0.09,
  /** Added in squares where the normalization shares differently from one with a single divisor. */
  normalizationSd: 0.15,
  /** For each factor of 10 between the model's size and the paper's. */
  sdPerDecade: 0.1,
  /** That the prompt's share of the loss carries over to another ratio, and not the weight. */
  shareHypothesis: 0.25,
  /** That the paper says nothing of where the peak is, all places alike: at its own ratio, and far from it. */
  elsewhere: { near: 0.05, far: 0.3 },
  /** Of a course that rises and then is flat. */
  saturating: 0.2,
  rise: 0.15,
  /** Of no expected course, smooth deviations alone: at the paper's own ratio, and far from it. */
  flat: { near: 0.05, far: 0.4 },
  /** |log(Rg / 0.08)| over which both come near to far. */
  fade: 2,
  /** A distance in log Rg for data whose ratio is not known. */
  unknownRatio: 4.6,
} as const;

/** Peaks of the mixture on w_p. */
const PEAKS = Array.from({ length: 11 }, (_, i) => i / 10);

/** Below and above, a weight is not told from the end: w_p of a share that asks for more than weight 1. */
function clamp(wp: number): number {
  return Math.min(1, Math.max(0, wp));
}

/** @throws {StatisticsError} for a ratio or a size that is not positive, and for unknown names */
export function priorFor(question: PriorQuestion): Prior {
  const { generationRatio: ratio, taskGroup, normalization = "weight-sum", parameters } = question;
  if (ratio !== undefined && !(ratio > 0 && Number.isFinite(ratio)))
    throw new StatisticsError(`the generation ratio must be a positive number, not ${ratio}`, {
      hint: "it is mean completion tokens over mean prompt tokens",
    });
  if (taskGroup !== undefined && !taskGroups.includes(taskGroup))
    throw new StatisticsError(`unknown task group ${JSON.stringify(taskGroup)}`, {
      hint: `use ${taskGroups.join(", ")}`,
    });
  if (parameters !== undefined && !(parameters > 0))
    throw new StatisticsError(`a model's size must be a positive number of parameters, not ${parameters}`);
  const choices = priorChoices;
  const distance =
    ratio === undefined ? choices.unknownRatio : Math.abs(Math.log(ratio / measuredRatios.short));
  const decades = parameters === undefined ? 0 : Math.abs(Math.log10(parameters / studiedParameters));
  const sd = Math.hypot(
    choices.baseSd,
    choices.sdPerLogRatio * distance,
    sharesDifferently(normalization) ? choices.normalizationSd : 0,
    choices.sdPerDecade * decades,
  );
  const faded = ({ near, far }: { near: number; far: number }): number =>
    near + (far - near) * (1 - Math.exp(-distance / choices.fade));
  const [flat, elsewhere] = [faded(choices.flat), faded(choices.elsewhere)];
  const [center, shareCenter] = centers(ratio ?? measuredRatios.short, taskGroup, normalization);
  const peaked = 1 - flat - choices.saturating;
  const parts: PriorPart[] = PEAKS.map((peak) => {
    const placed =
      (1 - choices.shareHypothesis) * peakMass(peak, center, sd) +
      choices.shareHypothesis * peakMass(peak, shareCenter, sd);
    const weight = (1 - elsewhere) * placed + elsewhere / PEAKS.length;
    return { shape: { kind: "peak", peak }, weight: peaked * weight };
  });
  parts.push(
    { shape: { kind: "saturating", rise: choices.rise }, weight: choices.saturating },
    { shape: { kind: "flat" }, weight: flat },
  );
  return { parts, center, shareCenter, sd, flat };
}

/** A prior without the paper: any smooth course. What a choice with the facts is compared with. */
export const flatPrior: Prior = {
  parts: [{ shape: { kind: "flat" }, weight: 1 }],
  center: 0.5,
  shareCenter: 0.5,
  sd: Number.POSITIVE_INFINITY,
  flat: 1,
};

/** The best w_p if the paper's weight carries over, and if the prompt's share of the loss does. */
function centers(
  ratio: number,
  taskGroup: TaskGroup | undefined,
  normalization: NormalizationName,
): [number, number] {
  // "Near 1" for long generation, without a place that the paper measured it at: no share to carry over.
  const long = taskGroup === "long-generation";
  const plw = long ? 1 : criticalPlw;
  const here = promptShare(plw, ratio, "weight-sum");
  const there = long ? here : promptShare(plw, measuredRatios.short, "weight-sum");
  // What that share is in this normalization.
  const wpOf = (share: number): number => clamp(wpOfPlw(plwOfShare(share, ratio, normalization)));
  return [wpOf(here), wpOf(there)];
}

/** A normal's mass around a peak; what lies beyond the ends counts to them. */
function peakMass(peak: number, center: number, sd: number): number {
  const half = (PEAKS[1]! - PEAKS[0]!) / 2;
  const upper = peak === 1 ? 1 : standardNormalBelow((peak + half - center) / sd);
  const lower = peak === 0 ? 0 : standardNormalBelow((peak - half - center) / sd);
  return upper - lower;
}
