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
