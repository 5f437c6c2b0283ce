// The beta distribution with logit link: y ~ Beta(μφ, (1 − μ)φ), φ = exp(τ) the precision, the parametrisation of
// Ferrari and Cribari-Neto (2004) and of glmmTMB. Derivatives by the chain rule from those in μ.
import type { Densities, Family } from "./family.ts";
import { type LogGamma, logGamma } from "./log-gamma.ts";

export const beta: Family = {
  name: "beta",
  link: "logit",
  mean: logistic,
  linkOf: logit,
  densities,
  refuse: (y) =>
    y > 0 && y < 1 ? undefined : `${y} is not strictly between 0 and 1, which the beta family needs`,
  startTau(y, residuals) {
    // On the link scale the variance is about 1 / (μ(1 − μ)(1 + φ)).
    let inverse = 0;
    let variance = 0;
    for (const [i, r] of residuals.entries()) {
      inverse += 1 / (y[i]! * (1 - y[i]!));
      variance += r * r;
    }
    return Math.log(Math.min(Math.max(inverse / variance, 1), 1e4));
  },
  dispersion: Math.exp,
  dispersionLabel: "precision phi",
};

export function logistic(eta: number): number {
  return 1 / (1 + Math.exp(-eta));
}

export function logit(p: number): number {
  return Math.log(p / (1 - p));
}

function densities(y: Float64Array, eta: Float64Array, tau: number, third: boolean, out: Densities): void {
  const phi = Math.exp(tau);
  const atPhi = newLogGamma();
  const atA = newLogGamma();
  const atB = newLogGamma();
  logGamma(phi, atPhi);
  for (let i = 0; i < y.length; i++) {
    const mu = logistic(eta[i]!);
    // 1 − μ by its own formula: μ rounds to 1 long before 1 − μ rounds to 0.
    const nu = logistic(-eta[i]!);
    const a = mu * phi;
    const b = nu * phi;
    logGamma(a, atA);
    logGamma(b, atB);
    const logY = Math.log(y[i]!);
    const logRest = Math.log1p(-y[i]!);
    const slope = mu * nu;
    const curve = slope * (nu - mu);
    const gap = logY - logRest - (atA.digamma - atB.digamma);
    const dMu = phi * gap;
    const dMu2 = -phi * phi * (atA.trigamma + atB.trigamma);
    out.value[i] = atPhi.value - atA.value - atB.value + (a - 1) * logY + (b - 1) * logRest;
    out.d1[i] = dMu * slope;
    out.d2[i] = dMu2 * slope * slope + dMu * curve;
    out.expected[i] = dMu2 * slope * slope;
    if (!third) continue;
    const dMu3 = -(phi ** 3) * (atA.tetragamma - atB.tetragamma);
    out.d3[i] = dMu3 * slope ** 3 + 3 * dMu2 * slope * curve + dMu * slope * (1 - 6 * slope);
    // ∂/∂τ = φ ∂/∂φ.
    const dMuPhi = gap - phi * (mu * atA.trigamma - nu * atB.trigamma);
    const dMu2Phi =
      -2 * phi * (atA.trigamma + atB.trigamma) - phi * phi * (mu * atA.tetragamma + nu * atB.tetragamma);
    out.tau[i] = phi * (atPhi.digamma - mu * atA.digamma - nu * atB.digamma + mu * logY + nu * logRest);
    out.d1Tau[i] = phi * dMuPhi * slope;
    out.d2Tau[i] = phi * (dMu2Phi * slope * slope + dMuPhi * curve);
  }
}

function newLogGamma(): LogGamma {
  return { value: 0, digamma: 0, trigamma: 0, tetragamma: 0 };
}
