// A fitted mixed model: plain data, and the state that later computations on it use.
import type { ModelFrame } from "../design/model-frame.ts";
import type { Family, FamilyName } from "../family/family.ts";
import type { VarianceComponent } from "./blocks.ts";
import type { Diagnostic } from "./diagnostics.ts";
import type { MixedProblem } from "./likelihood.ts";

export interface Coefficient {
  name: string;
  estimate: number;
  standardError: number;
  /** estimate / standardError */
  z: number;
  /** Two-sided, from the normal distribution (Wald). */
  p: number;
}

export interface ConditionalModes {
  group: string;
  effects: string[];
  levels: { level: string; values: number[] }[];
}

/** A fitted model: plain data, apart from `state`, which later computations on the fit use. */
export interface MixedModelFit {
  formula: string;
  family: FamilyName;
  link: "logit" | "identity";
  reml: boolean;
  /** The column of standard errors that are a known part of the scores' variances; undefined for none. */
  samplingError: string | undefined;
  /** Rows used. */
  observations: number;
  coefficients: Coefficient[];
  /** Names of columns left out as combinations of others. */
  aliased: string[];
  /** Covariance of the coefficients, p x p. */
  covariance: number[][];
  /** The beta's precision φ, or the Gaussian's residual standard deviation σ, without what is known, as glmmTMB's sigma(). */
  dispersion: number;
  varianceComponents: VarianceComponent[];
  conditionalModes: ConditionalModes[];
  /** Log-likelihood; the restricted one for REML. */
  logLik: number;
  /** Number of parameters estimated, dispersion included. */
  parameters: number;
  aic: number;
  bic: number;
  /** Index in the given table of each row used. */
  rows: number[];
  /** Mean of each row used, given the conditional modes, on the scale of the response. */
  fitted: number[];
  /** The optimizer arrived at a maximum with positive curvature. */
  converged: boolean;
  /** A variance is zero or a correlation ±1 to the tolerance. */
  singular: boolean;
  diagnostics: Diagnostic[];
  iterations: number;
  state: FitState;
}

export interface FitState {
  frame: ModelFrame;
  family: Family;
  problem: MixedProblem;
  /** The column that standard errors were taken from. */
  samplingError: string | undefined;
  /** What the response was divided by before the fit. */
  responseScale: number;
  /** The maximum, in the likelihood's own coordinates. */
  optimum: Float64Array;
  /** Of the negative log-likelihood there, [parameters * parameters]. */
  hessian: Float64Array;
}
