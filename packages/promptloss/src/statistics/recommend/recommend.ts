// Which prompt loss weight to use: the one of lowest expected regret under a posterior that starts from the paper's
// facts and learns from the user's own runs. A choice, not a claim: it has probabilities, and nothing is tested.
import { counted } from "../../counted.ts";
import {
  type Choice,
  choose,
  type KnownNoise,
  type NormalizationName,
  type Observation,
  type Point,
  type Posterior,
  pointsOver,
  posterior,
  priorFor,
  type TaskGroup,
} from "../choice/index.ts";
import { wpOfPlw } from "../effect/plw.ts";
import { StatisticsError } from "../errors.ts";
import { trimmed } from "../numbers.ts";
import type { Fact } from "./paper-facts.ts";
import { priorEvidence, unknownsFor } from "./prior-evidence.ts";
import { type ShareTranslation, shareText, translateShare } from "./translate-share.ts";

/** A run of the user's own. */
export interface OwnRun extends Observation {
  readonly plw: number;
}

/** What the user's own runs say of one objective. */
export interface StudyEvidence {
  readonly runs: readonly OwnRun[];
  /** "held-out content_loss". */
  readonly objective: string;
  /** Of the objective, as "nats" or "acc"; what regrets are printed in. */
  readonly unit: string;
  /** What was left out, and why. */
  readonly notes: readonly string[];
  /** Of a run, from elsewhere. */
  readonly noise?: KnownNoise | undefined;
}

export interface RecommendOptions {
  /** Left out: over all tasks, which the paper's fit is, too. */
  readonly taskGroup?: TaskGroup | undefined;
  /** Of the recipe; `weight-sum` where left out. */
  readonly normalization?: NormalizationName | undefined;
  /** Of the model that is trained. */
  readonly parameters?: number | undefined;
  readonly study?: StudyEvidence | undefined;
  /** What a weight may cost and still count as alike: in the objective's units, or a share of the gap without runs. */
  readonly tolerance?: number | undefined;
  /** Weights to choose among, and no others; `candidateWeights` and those of the runs where left out. */
  readonly weights?: readonly number[] | undefined;
  /** Of the draws. */
  readonly seed?: number | undefined;
}

export interface WeightOutlook {
  readonly plw: number;
  /** In `unit`. */
  readonly expectedRegret: number;
  /** Of being the best of the weights that are listed. */
  readonly probabilityBest: number;
}

export interface Recommendation {
  readonly plw: number;
  /** Where the runs varied it. */
  readonly learningRate?: number;
  readonly source: "study" | "prior";
  /** Runs of one's own that it rests on. */
  readonly runs: number;
  readonly objective: string | undefined;
  /** Of all regrets, gains and tolerances. */
  readonly unit: string;
  readonly expectedRegret: number;
  readonly probabilityBest: number;
  /** By weight, at the learning rate that is chosen. */
  readonly weights: readonly WeightOutlook[];
  readonly within: {
    readonly tolerance: number;
    readonly weights: readonly number[];
    readonly lower: number;
    readonly upper: number;
  };
  /** Undefined without runs that tell the noise. */
  readonly oneMoreRun:
    | { readonly plw: number; readonly learningRate?: number; readonly gain: number }
    | undefined;
  readonly noise: number | undefined;
  readonly generationRatio: number;
  readonly taskGroup: TaskGroup | undefined;
  readonly share: ShareTranslation;
  /** "study", or the mark of a paper's fact. */
  readonly evidence: readonly { readonly mark: "study" | Fact["mark"]; readonly text: string }[];
  /** What is not known of the question. */
  readonly unknown: readonly string[];
  /** The choice and its ground in a line. */
  readonly sentence: string;
}

/** From 0 to 1, about evenly in w_p, with the paper's fitted best weight among them. */
export const candidateWeights = [
  0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.242, 0.35, 0.5, 0.7, 1,
] as const;

/** Of the gap between the best and the worst weight, where the user gives no tolerance. Our choice. */
export const TOLERATED_SHARE = 0.1;

/** Without runs a regret has no unit of its own. */
export const GAP_UNIT = "of the gap between best and worst";

/**
 * @throws {StatisticsError} for a ratio that is not positive, unknown names, weights outside [0, 1]
 * @example
 * ```ts
 * import { recommend } from "promptloss";
 *
 * // Completions a tenth as long as prompts.
 * const { plw, sentence } = recommend(0.1, { taskGroup: "multiple-choice" });
 * console.log(`${plw}: ${sentence}`);
 * ```
 */
export function recommend(generationRatio: number, options: RecommendOptions = {}): Recommendation {
  const { taskGroup, normalization = "weight-sum", parameters, study, seed } = options;
  const prior = priorFor({ generationRatio, taskGroup, normalization, parameters });
  const runs = study?.runs ?? [];
  const weights = weightsAmong(options, runs);
  const rates = [...new Set(runs.map(({ logRate }) => logRate))].sort((a, b) => (a ?? 0) - (b ?? 0));
  const points = pointsOver(weights.map(wpOfPlw), rates.length === 0 ? [undefined] : rates);
  const found = posterior(points, runs, { prior, noise: study?.noise, seed });
  // Without runs a score has no unit: the gap takes its place.
  const own = found.noise !== undefined && new Set(runs.map(({ plw }) => plw)).size > 1;
  const scale = own ? 1 : found.span;
  const tolerance = options.tolerance ?? TOLERATED_SHARE * (own ? found.span : 1);
  const choice = choose(found, { tolerance: tolerance * scale });
  const unit = own ? study!.unit : GAP_UNIT;
  const chosen = chosenFrom(found, choice, { weights, scale });
  const common = {
    ...{ unit, generationRatio, taskGroup },
    ...{ source: own ? ("study" as const) : ("prior" as const), runs: own ? runs.length : 0 },
    ...{ objective: own ? study!.objective : undefined, noise: own ? found.noise : undefined },
    ...chosen,
    share: translateShare(chosen.plw, generationRatio, normalization),
    within: { tolerance, ...chosen.within },
    oneMoreRun: own ? chosen.oneMoreRun : undefined,
    evidence: [
      ...(study === undefined ? [] : ownEvidence(study, own)),
      ...priorEvidence(generationRatio, taskGroup, normalization),
    ],
    unknown: unknownsFor(generationRatio, taskGroup, parameters),
  };
  return { ...common, sentence: sentenceOf(common) };
}

function weightsAmong(
  { weights: asked, normalization }: RecommendOptions,
  runs: readonly OwnRun[],
): number[] {
  // A share of 1 would leave nothing of the completion's loss.
  const weights = asked ?? candidateWeights.filter((plw) => plw < 1 || normalization !== "loss-share");
  const wrong = weights.find((plw) => !(plw >= 0 && plw <= 1));
  if (wrong !== undefined || weights.length === 0)
    throw new StatisticsError(
      wrong === undefined
        ? "there are no weights to choose among"
        : `${wrong} is no prompt loss weight from 0 to 1`,
    );
  const tried = asked === undefined ? runs.map(({ plw }) => plw) : [];
  return [...new Set([...weights, ...tried])].sort((a, b) => a - b);
}

function chosenFrom(
  { points }: Posterior,
  { best, candidates, within, oneMoreRun }: Choice,
  { weights, scale }: { readonly weights: readonly number[]; readonly scale: number },
) {
  const weightOf = (i: number): number => weights[i % weights.length]!;
  const rateOf = ({ logRate }: Point) => (logRate === undefined ? {} : { learningRate: 10 ** logRate });
  const row = best - (best % weights.length);
  const alike = [...new Set(within.map(weightOf))].sort((a, b) => a - b);
  return {
    plw: weightOf(best),
    ...rateOf(points[best]!),
    expectedRegret: candidates[best]!.expectedRegret / scale,
    probabilityBest: candidates[best]!.probabilityBest,
    weights: weights.map((plw, k) => {
      const { expectedRegret, probabilityBest } = candidates[row + k]!;
      return { plw, expectedRegret: expectedRegret / scale, probabilityBest };
    }),
    within: { weights: alike, lower: alike[0]!, upper: alike.at(-1)! },
    oneMoreRun: oneMoreRun && {
      plw: weightOf(oneMoreRun.at),
      ...rateOf(points[oneMoreRun.at]!),
      gain: oneMoreRun.gain / scale,
    },
  };
}

function ownEvidence(
  { runs, objective, notes }: StudyEvidence,
  used: boolean,
): { mark: "study"; text: string }[] {
  const tried = [...new Set(runs.map(({ plw }) => plw))].sort((a, b) => a - b).map((plw) => trimmed(plw));
  const text = used
    ? `${counted(runs.length, "run")} at PLW ${tried.join(", ")}, scored by ${objective}`
    : "your runs do not tell weights apart: there are too few of this question, or all have one score";
  return [text, ...notes].map((each) => ({ mark: "study", text: each }));
}

function sentenceOf({
  plw,
  learningRate,
  source,
  runs,
  objective,
  unit,
  expectedRegret,
  probabilityBest,
  within,
}: Omit<Recommendation, "sentence">): string {
  const rate = learningRate === undefined ? "" : ` at learning rate ${trimmed(learningRate)}`;
  const ground =
    source === "study"
      ? `by ${counted(runs, "run")} of your own on ${objective}`
      : "no run on this data stands behind it, only a wide prior from the paper's facts";
  return `PLW ${trimmed(plw)}${rate}: ${ground}; expected regret ${trimmed(expectedRegret, 2)} ${unit}, best with probability ${shareText(probabilityBest)}, alike from ${trimmed(within.lower)} to ${trimmed(within.upper)}`;
}

/** Of a run by its weight; its w_p follows. */
export function ownRun(plw: number, rest: Omit<OwnRun, "plw" | "wp">): OwnRun {
  return {
    plw,
    wp: wpOfPlw(plw),
    ...rest,
  };
}
