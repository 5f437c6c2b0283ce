// The length-controlled win rate (Dubois and others 2024): logit P(win) = θ + φ · tanh(d / sd(d)), d the difference in
// characters, fitted by maximum likelihood with draws as halves; the rate is what the model says at d = 0. Not here:
// AlpacaEval 2's table of instruction difficulties and its L1 penalty, which are tied to its own leaderboard.

export interface LengthControlled {
  /** In percent. */
  readonly winRate: number;
  /** In percent, by the delta method from the sandwich covariance, as halves are no coin's draws. */
  readonly standardError: number;
  /** φ: above 0, longer answers win more. */
  readonly lengthCoefficient: number;
}

export interface JudgedLengths {
  /** 1, 0.5 or 0. */
  readonly score: number;
  /** Characters of the answers. */
  readonly candidate: number;
  readonly reference: number;
}

/** Newton's method ends in a handful of steps where there is a maximum. */
const MOST_STEPS = 50;

/** Of the gradient, over the number of verdicts. */
const TOLERANCE = 1e-12;

/** A logit of so much, where the gradient is still above its tolerance, is on its way to infinity. */
const LARGEST = 20;

/** @returns undefined where the model has no estimate: no spread in lengths, or a length that decides all verdicts */
export function lengthControlledWinRate(verdicts: readonly JudgedLengths[]): LengthControlled | undefined {
  const differences = verdicts.map(({ candidate, reference }) => candidate - reference);
  const sd = deviation(differences);
  if (!(sd > 0)) return undefined;
  const x = differences.map((difference) => Math.tanh(difference / sd));
  const y = verdicts.map(({ score }) => score);
  let theta = 0;
  let phi = 0;
  for (let step = 0; step < MOST_STEPS; step++) {
    const { gradient, information } = moments(x, y, theta, phi);
    const inverse = inverted(information);
    if (inverse === undefined || Math.abs(theta) + Math.abs(phi) > LARGEST) return undefined;
    if (Math.hypot(...gradient) <= TOLERANCE * x.length) return result(x, y, theta, phi, inverse);
    const [a, b, c] = inverse;
    const change = [a * gradient[0] + b * gradient[1], b * gradient[0] + c * gradient[1]] as const;
    // A long step overshoots where the curve is flat.
    const scale = Math.min(1, LONGEST_STEP / Math.hypot(...change));
    theta += scale * change[0];
    phi += scale * change[1];
  }
  return undefined;
}

const LONGEST_STEP = 2;

/** A symmetric 2 × 2 matrix: its first row, and the last entry. */
type Symmetric = readonly [number, number, number];

interface Moments {
  readonly gradient: readonly [number, number];
  readonly information: Symmetric;
}

function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

function moments(x: readonly number[], y: readonly number[], theta: number, phi: number): Moments {
  const gradient: [number, number] = [0, 0];
  const information: [number, number, number] = [0, 0, 0];
  x.forEach((each, i) => {
    const p = logistic(theta + phi * each);
    const residual = y[i]! - p;
    gradient[0] += residual;
    gradient[1] += residual * each;
    [1, each, each * each].forEach((power, j) => {
      information[j]! += p * (1 - p) * power;
    });
  });
  return { gradient, information };
}

function inverted([a, b, c]: Symmetric): Symmetric | undefined {
  const determinant = a * c - b * b;
  // Relative: of numbers that vanish together nothing can be said.
  if (!(determinant > Number.EPSILON * a * c)) return undefined;
  return [c / determinant, -b / determinant, a / determinant];
}

function result(
  x: readonly number[],
  y: readonly number[],
  theta: number,
  phi: number,
  [a, b]: Symmetric,
): LengthControlled {
  // The first diagonal entry of I⁻¹ S I⁻¹, S the sum of the outer products of single gradients: as a sum of squares, which
  // no rounding takes below 0.
  const variance = x.reduce(
    (sum, each, i) => sum + ((y[i]! - logistic(theta + phi * each)) * (a + b * each)) ** 2,
    0,
  );
  const p = logistic(theta);
  return {
    winRate: 100 * p,
    standardError: 100 * p * (1 - p) * Math.sqrt(variance),
    lengthCoefficient: phi,
  };
}

/** With n − 1, as AlpacaEval's. */
function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
