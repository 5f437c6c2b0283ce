// The Gaussian distribution with identity link: y ~ N(μ, σ²), σ = exp(τ). With it the Laplace approximation is exact.
import type { Densities, Family } from "./family.ts";

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

export const gaussian: Family = {
  name: "gaussian",
  link: "identity",
  mean: (eta) => eta,
  linkOf: (mu) => mu,
  densities,
  refuse: (y) => (Number.isFinite(y) ? undefined : `${y} is not finite`),
  startTau(_, residuals) {
    let sum = 0;
    for (const r of residuals) sum += r * r;
    return 0.5 * Math.log(sum / residuals.length + Number.MIN_VALUE);
  },
  dispersion: Math.exp,
  dispersionLabel: "residual standard deviation sigma",
};

function densities(y: Float64Array, eta: Float64Array, tau: number, _third: boolean, out: Densities): void {
  const precision = Math.exp(-2 * tau);
  out.d2.fill(-precision);
  out.expected.fill(-precision);
  out.d3.fill(0);
  out.d2Tau.fill(2 * precision);
  for (let i = 0; i < y.length; i++) {
    const r = y[i]! - eta[i]!;
    const square = r * r * precision;
    out.value[i] = -halfLogTwoPi - tau - 0.5 * square;
    out.d1[i] = r * precision;
    out.tau[i] = square - 1;
    out.d1Tau[i] = -2 * r * precision;
  }
}

// Where the best deviation is zero, the optimizer stops about this near, in deviations of the response.
const zeroDeviation = 1e-5;

/**
 * With part of each response's variance known: y_i ~ N(μ_i, σ² + known_i). τ is σ itself, of either sign, so that σ = 0 is
 * an ordinary point, where log σ would run to infinity.
 * @param known variances in squares of the response's unit, [n], none negative
 */
export function gaussianBeside(known: Float64Array): Family {
  return {
    ...gaussian,
    known,
    densities(y, eta, tau, _third, out) {
      out.d3.fill(0);
      for (let i = 0; i < y.length; i++) {
        const precision = 1 / (tau * tau + known[i]!);
        const r = y[i]! - eta[i]!;
        const square = r * r * precision;
        out.value[i] = -halfLogTwoPi + 0.5 * Math.log(precision) - 0.5 * square;
        out.d1[i] = r * precision;
        out.d2[i] = -precision;
        out.expected[i] = -precision;
        out.tau[i] = tau * precision * (square - 1);
        out.d1Tau[i] = -2 * tau * r * precision * precision;
        out.d2Tau[i] = 2 * tau * precision * precision;
      }
    },
    startTau(_, residuals) {
      const square = residuals.reduce((sum, r) => sum + r * r, 0) / residuals.length;
      const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
      return Math.sqrt(Math.max(square - mean, square / 100)) + Number.MIN_VALUE;
    },
    dispersion: (tau) => (Math.abs(tau) < zeroDeviation ? 0 : Math.abs(tau)),
  };
}
