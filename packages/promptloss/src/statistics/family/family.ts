// What the engine needs of a response distribution: the log-density of each observation as a function of the linear
// predictor η and of τ, the dispersion's parameter, with the derivatives that the Laplace approximation and its exact
// gradient use.

/** Derivatives of the observations' log-densities, each [n]; those of `third` are filled on request only. */
export interface Densities {
  /** ℓ */
  value: Float64Array;
  /** ∂ℓ/∂η */
  d1: Float64Array;
  /** ∂²ℓ/∂η² */
  d2: Float64Array;
  /** E ∂²ℓ/∂η², negative; steps that leave the concave region use it. */
  expected: Float64Array;
  /** ∂³ℓ/∂η³ */
  d3: Float64Array;
  /** ∂ℓ/∂τ */
  tau: Float64Array;
  /** ∂²ℓ/∂η∂τ */
  d1Tau: Float64Array;
  /** ∂³ℓ/∂η²∂τ */
  d2Tau: Float64Array;
}

export type FamilyName = "beta" | "gaussian";

export interface Family {
  name: FamilyName;
  link: "logit" | "identity";
  /** μ from η. */
  mean(eta: number): number;
  /** η from μ. */
  linkOf(mu: number): number;
  /** Fills `out` for responses y [n], predictors η [n] and τ; the derivatives past d2 only when `third`. */
  densities(y: Float64Array, eta: Float64Array, tau: number, third: boolean, out: Densities): void;
  /** Why a response can't be one of this family, or undefined. */
  refuse(y: number): string | undefined;
  /** τ to start from, given responses and residuals of a linear fit on the link scale. */
  startTau(y: Float64Array, residuals: Float64Array): number;
  /** The dispersion as glmmTMB's sigma() gives it: the beta's precision φ, the Gaussian's standard deviation. */
  dispersion(tau: number): number;
  /** What is known of each response's variance, beside the dispersion that is estimated, [n]; Gaussian alone. */
  known?: Float64Array;
  dispersionLabel: string;
}

export function newDensities(n: number): Densities {
  const vector = (): Float64Array => new Float64Array(n);
  return {
    value: vector(),
    d1: vector(),
    d2: vector(),
    expected: vector(),
    d3: vector(),
    tau: vector(),
    d1Tau: vector(),
    d2Tau: vector(),
  };
}
