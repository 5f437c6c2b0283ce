// Whether a score's own sampling error, sqrt(acc (1 - acc) / n), should enter the comparison as a known variance. Studies of
// one task whose items are answered one by one, by all cells the same or by each cell its own, are judged without it, as
// `study results` does, and with it: residual variances sigma^2 + s_i^2, sigma^2 by restricted likelihood, generalized least
// squares, Student's t.
import { analyzeWeights, studentTwoSided } from "promptloss/statistics";
import { randomSource } from "./random.ts";
import { cellsOf, type Design } from "./truths.ts";

export interface SamplingTally {
  readonly design: string;
  /** Whether all cells answer the same items. */
  readonly sharedItems: boolean;
  readonly course: "none" | "quadratic";
  readonly studies: number;
  /** Studies that see a relation, uncorrected at 5 %. */
  readonly without: number;
  readonly known: number;
}

const ITEMS = 200;
/** Deviations of an item's difficulty, and of what a cell's answer to an item has of its own, on the latent scale. */
const [DIFFICULTY, OWN] = [1, 0.5];

export function samplingTally(
  design: Design,
  sharedItems: boolean,
  course: SamplingTally["course"],
  studies: number,
  seed: number,
): SamplingTally {
  let [without, known] = [0, 0];
  for (let k = 0; k < studies; k++) {
    const random = randomSource(1_000_003 * seed + 7919 * k + 17);
    const items = (): number[] => Array.from({ length: ITEMS }, () => DIFFICULTY * random.normal());
    const same = items();
    const rows = cellsOf(design).map(({ plw, wp, seed: block }) => {
      const height = course === "none" ? 0.5 : 0.5 + 0.2 * (1 - ((wp - 0.55) / 0.55) ** 2);
      const own = sharedItems ? same : items();
      const right = own.filter((difficulty) => height + difficulty + OWN * random.normal() > 0).length;
      return { cell: `${plw}-${block}`, plw, wp, block: `seed ${block}`, task: "quiz", score: right / ITEMS };
    });
    if (new Set(rows.map(({ score }) => score)).size < 2) continue;
    if (analyzeWeights(rows, 0.95).relation.p < 0.05) without++;
    if (knownVarianceP(rows) < 0.05) known++;
  }
  return { design: `${design.weights} × ${design.seeds}`, sharedItems, course, studies, without, known };
}

type Scored = { readonly wp: number; readonly block: string; readonly score: number };

/** The smaller p of trend and curvature, times two. */
function knownVarianceP(rows: readonly Scored[]): number {
  const blocks = [...new Set(rows.map(({ block }) => block))];
  const middle = rows.reduce((sum, { wp }) => sum + wp, 0) / rows.length;
  const columns = [
    ...blocks.map((block) => rows.map((row) => (row.block === block ? 1 : 0))),
    rows.map(({ wp }) => wp - middle),
    rows.map(({ wp }) => (wp - middle) ** 2),
  ];
  const y = rows.map(({ score }) => score);
  const sampling = y.map((x) => (x * (1 - x)) / ITEMS);
  const fitAt = (variance: number): Fit =>
    generalizedLeastSquares(
      columns,
      y,
      sampling.map((s) => 1 / (variance + s)),
    );
  // The likelihood has one top over log variance here: golden section, and 0 as a bound.
  let [low, high] = [Math.log(1e-8), Math.log(0.05)];
  const ratio = (Math.sqrt(5) - 1) / 2;
  while (high - low > 1e-3) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (fitAt(Math.exp(a)).logLik > fitAt(Math.exp(b)).logLik) high = b;
    else low = a;
  }
  const inside = fitAt(Math.exp((low + high) / 2));
  const bound = fitAt(0);
  const atBound = bound.logLik >= inside.logLik;
  const { coefficients, covariance } = atBound ? bound : inside;
  // At the bound the variance is known: a normal.
  const df = atBound ? 1e9 : rows.length - columns.length;
  const first = blocks.length;
  // The trend apart from the curvature: the slope where the two are uncorrelated.
  const [v11, v12, v22] = [
    covariance[first]![first]!,
    covariance[first]![first + 1]!,
    covariance[first + 1]![first + 1]!,
  ];
  const trend = coefficients[first]! - (v12 / v22) * coefficients[first + 1]!;
  const t = [trend / Math.sqrt(v11 - v12 ** 2 / v22), coefficients[first + 1]! / Math.sqrt(v22)];
  return 2 * Math.min(...t.map((value) => studentTwoSided(value, df)));
}

interface Fit {
  readonly coefficients: readonly number[];
  readonly covariance: readonly (readonly number[])[];
  /** Restricted, but for a constant. */
  readonly logLik: number;
}

function generalizedLeastSquares(
  columns: readonly (readonly number[])[],
  y: readonly number[],
  weights: readonly number[],
): Fit {
  const product = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, i) => sum + x * b[i]! * weights[i]!, 0);
  const size = columns.length;
  // Gauss-Jordan on [X'WX | I].
  const rows = columns.map((a, i) => [
    ...columns.map((b) => product(a, b)),
    ...columns.map((_, j) => (i === j ? 1 : 0)),
  ]);
  let logDeterminant = 0;
  for (let k = 0; k < size; k++) {
    const pivot = rows[k]![k]!;
    logDeterminant += Math.log(pivot);
    rows[k] = rows[k]!.map((x) => x / pivot);
    for (let i = 0; i < size; i++) {
      const factor = rows[i]![k]!;
      if (i !== k) rows[i] = rows[i]!.map((x, j) => x - factor * rows[k]![j]!);
    }
  }
  const covariance = rows.map((row) => row.slice(size));
  const right = columns.map((a) => product(a, y));
  const coefficients = covariance.map((row) => row.reduce((sum, x, j) => sum + x * right[j]!, 0));
  const rest = y.map((value, i) => value - columns.reduce((sum, a, j) => sum + a[i]! * coefficients[j]!, 0));
  const logWeights = weights.reduce((sum, w) => sum + Math.log(w), 0);
  return { coefficients, covariance, logLik: 0.5 * (logWeights - logDeterminant - product(rest, rest)) };
}
