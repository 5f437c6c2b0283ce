// A study's results with scores as benchmarks give them: beta-distributed around a curve in w_p that differs by
// benchmark and by generation ratio, with models, seeds and probes. Deterministic.
import { type TaskGroup, wpOfPlw } from "../../src/statistics/index.ts";
import { randomSource } from "../../src/statistics/random.ts";
import { analysisSettings, type ResultRow, type StudyResults } from "../../src/study/results/index.ts";

export interface MadeBenchmark {
  readonly task: string;
  readonly group: TaskGroup | null;
  readonly metric: string;
  /** Log-odds of the score at the best weight. */
  readonly height: number;
  /** From the score in (0, 1) to the metric's own unit. */
  readonly scale?: number;
  readonly lowerIsBetter?: true;
}

export interface MadeStudy {
  readonly name?: string;
  readonly weights?: readonly number[];
  readonly seeds?: readonly number[];
  readonly models?: readonly string[];
  /** Rg, and how far the score falls from the best w_p on the logit scale; no relation where 0. */
  readonly ratios?: readonly { readonly ratio: number; readonly curvature: number }[];
  readonly benchmarks?: readonly MadeBenchmark[];
  readonly probes?: boolean;
}

export const benchmarks: readonly MadeBenchmark[] = [
  { task: "arc_challenge", group: "multiple-choice", metric: "acc_norm", height: -0.2 },
  { task: "piqa", group: "multiple-choice", metric: "acc", height: 1.1 },
  { task: "winogrande", group: "multiple-choice", metric: "acc", height: 0.6 },
  { task: "wmt16_de_en", group: "short-generation", metric: "bleu", height: -1.1, scale: 100 },
  {
    task: "held-out",
    group: "short-generation",
    metric: "completion_loss",
    height: 0.3,
    scale: 4,
    lowerIsBetter: true,
  },
  { task: "alpaca_eval", group: "long-generation", metric: "win_rate", height: -0.6, scale: 100 },
];

const WEIGHTS = [0, 0.0005, 0.002236, 0.01, 0.02463, 0.05, 0.1, 0.2463, 0.5, 1];
const BEST = 0.65;
/** Precision φ of the beta distribution. */
const PRECISION = 400;

export function madeStudy({
  name = "short-and-long",
  weights = WEIGHTS,
  seeds = [1, 2],
  models = ["small", "large"],
  ratios = [
    { ratio: 0.082, curvature: 2.4 },
    { ratio: 3.27, curvature: 0 },
  ],
  benchmarks: tasks = benchmarks,
  probes = true,
}: MadeStudy = {}): StudyResults {
  const random = randomSource(11);
  const rows: ResultRow[] = [];
  for (const { ratio, curvature } of ratios)
    for (const model of models)
      for (const plw of weights)
        for (const seed of seeds) {
          const wp = wpOfPlw(plw);
          const common = {
            study: name,
            cell: `${model}-${ratio}-${plw}-${seed}`,
            factors: { dataset: ratio < 1 ? "short" : "long", model, plw, seed },
            ...{ plw, wp, generationRatio: ratio },
            probes: probes ? probesAt(wp, () => random.normal()) : {},
          };
          for (const { task, group, metric, height, scale = 1, lowerIsBetter } of tasks) {
            const best = group === "long-generation" ? 1 : BEST;
            const linear = height + (model === "large" ? 0.25 : 0) - curvature * (wp - best) ** 2;
            const mean = 1 / (1 + Math.exp(-linear));
            const score = random.beta(mean * PRECISION, (1 - mean) * PRECISION);
            rows.push({
              ...common,
              ...{ task, taskGroup: group, metric, primary: true, higherIsBetter: !lowerIsBetter },
              value: scale * (lowerIsBetter ? 1 - score : score),
              standardError: scale * 0.02,
              pairedError: null,
              ...{ items: 100, chance: null, precision: null },
            });
          }
        }
  return {
    study: name,
    factors: ["dataset", "model", "plw", "seed"],
    probes: Object.keys(rows[0]?.probes ?? {}),
    rows,
    analysis: analysisSettings(),
    cells: new Set(rows.map(({ cell }) => cell)).size,
  };
}

/** Courses as such runs have them: a spread that falls with w_p, generations that grow. */
function probesAt(wp: number, normal: () => number): Record<string, number> {
  return {
    loss_mean: 1.1 + 0.6 * wp + 0.02 * normal(),
    loss_rstd: 0.42 * Math.exp(-2 * wp) + 0.08 + 0.01 * normal(),
    distance_l1: 21000 + 4000 * wp + 300 * normal(),
    distance_l2: 5.2 - 2 * wp + 3.1 * wp ** 2 + 0.1 * normal(),
    distance_cosine: 0.999 - 0.0004 * wp + 0.00005 * normal(),
    memorization_bleu: 80 - 25 * wp ** 3 + 1.5 * normal(),
    generation_length: 30 + 42 * wp + 2 * normal(),
    reference_length: 44,
    generation_stopped: Math.min(1, 0.9 + 0.08 * wp + 0.01 * normal()),
  };
}
