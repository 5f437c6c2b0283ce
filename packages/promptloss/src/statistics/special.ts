// Special functions and the tails of the distributions that tests need, from @stdlib. No series of our own.
import digamma from "@stdlib/math-base-special-digamma";
import erfc from "@stdlib/math-base-special-erfc";
import gammainc from "@stdlib/math-base-special-gammainc";
import lgamma from "@stdlib/math-base-special-gammaln";
import polygamma from "@stdlib/math-base-special-polygamma";
import trigamma from "@stdlib/math-base-special-trigamma";
import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";

export { digamma, lgamma, trigamma };

/** ψ''(x), the third derivative of log Γ. */
export const tetragamma = (x: number): number => polygamma(2, x);

/** P(|Z| > |z|) for a standard normal Z; accurate far into the tail. */
export const normalTwoSided = (z: number): number => erfc(Math.abs(z) / Math.SQRT2);

/** The standard normal's quantile. */
export const standardNormalQuantile = (p: number): number => normalQuantile(p, 0, 1);

/** P(X > x) for a chi-square X with `df` degrees of freedom; accurate far into the tail. */
export const chiSquareUpper = (x: number, df: number): number =>
  x <= 0 ? 1 : gammainc(x / 2, df / 2, true, true);
