// Special functions and the tails of the distributions that tests need, from @stdlib. No series of our own.
import betainc from "@stdlib/math-base-special-betainc";
import digamma from "@stdlib/math-base-special-digamma";
import erfc from "@stdlib/math-base-special-erfc";
import gammainc from "@stdlib/math-base-special-gammainc";
import lgamma from "@stdlib/math-base-special-gammaln";
import polygamma from "@stdlib/math-base-special-polygamma";
import trigamma from "@stdlib/math-base-special-trigamma";
import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";

export { digamma, lgamma, trigamma };

/** ψ''(x), the third derivative of log Γ. */
export function tetragamma(x: number): number {
  return polygamma(2, x);
}

/** P(|Z| > |z|) for a standard normal Z; accurate far into the tail. */
export function normalTwoSided(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

/** The standard normal's quantile. */
export function standardNormalQuantile(p: number): number {
  return normalQuantile(p, 0, 1);
}

/** P(X > x) for a chi-square X with `df` degrees of freedom; accurate far into the tail. */
export function chiSquareUpper(x: number, df: number): number {
  return x <= 0 ? 1 : gammainc(x / 2, df / 2, true, true);
}

/** P(|T| > |t|) for Student's t with `df` degrees of freedom, not necessarily whole. */
export function studentTwoSided(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  if (df === Number.POSITIVE_INFINITY) return normalTwoSided(t);
  return t === 0 ? 1 : betainc(df / (df + t * t), df / 2, 0.5, true, false);
}

/** Student's quantile; the normal's for infinite `df`. */
export function studentQuantile(p: number, df: number): number {
  return df === Number.POSITIVE_INFINITY ? standardNormalQuantile(p) : tQuantile(p, df);
}

/** P(F > f) for Fisher's F with `df1` and `df2` degrees of freedom, not necessarily whole. */
export function fisherUpper(f: number, df1: number, df2: number): number {
  if (Number.isNaN(f) || !(df1 > 0) || !(df2 > 0)) return Number.NaN;
  if (df2 === Number.POSITIVE_INFINITY) return chiSquareUpper(df1 * f, df1);
  return f <= 0 ? 1 : betainc(df2 / (df2 + df1 * f), df2 / 2, df1 / 2, true, false);
}
/** P(Z ≤ z) for a standard normal Z. */
export function standardNormalBelow(z: number): number {
  return erfc(-z / Math.SQRT2) / 2;
}
