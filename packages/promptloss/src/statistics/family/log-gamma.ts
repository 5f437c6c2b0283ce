// log Γ and its first three derivatives at one point in one pass, which the beta family evaluates at every score in
// every step: the recurrence up to 10, then Stirling's series (Abramowitz and Stegun 1964, 6.1.41, 6.3.18, 6.4.12).
// The slow reference is @stdlib's separate functions (special.ts), which tests hold this to.

/** What `logGamma` fills: log Γ, ψ, ψ', ψ'' at x > 0. */
export interface LogGamma {
  value: number;
  digamma: number;
  trigamma: number;
  tetragamma: number;
}

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

// From here the series' first omitted term is below double precision.
const asymptotic = 10;

/** Fills `out` at x; NaN below 0, infinities at 0. */
export function logGamma(x: number, out: LogGamma): void {
  let product = 1;
  let digamma = 0;
  let trigamma = 0;
  let tetragamma = 0;
  let z = x;
  while (z < asymptotic) {
    if (!(z > 0)) {
      out.value =
        out.digamma =
        out.trigamma =
        out.tetragamma =
          z === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
      return;
    }
    const r = 1 / z;
    product *= z;
    digamma -= r;
    trigamma += r * r;
    tetragamma -= 2 * r * r * r;
    z++;
  }
  const log = Math.log(z);
  const r = 1 / z;
  const s = r * r;
  out.value =
    (z - 0.5) * log -
    z +
    halfLogTwoPi -
    Math.log(product) +
    r * (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360))))));
  out.digamma =
    digamma +
    log -
    0.5 * r -
    s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - s * (691 / 32760))))));
  out.trigamma =
    trigamma +
    r +
    0.5 * s +
    r * s * (1 / 6 - s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * (5 / 66 - s * (691 / 2730))))));
  out.tetragamma =
    tetragamma -
    s -
    r * s -
    s * s * (1 / 2 - s * (1 / 6 - s * (1 / 6 - s * (3 / 10 - s * (5 / 6 - s * (691 / 210))))));
}
