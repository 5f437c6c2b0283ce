// Courses of a score over w_p that a prior can expect: highest at some w_p, rising and then flat, or flat. Each falls by
// at most 1 over [0, 1], so that an amplitude is the gap between the best and the worst weight.

export type Shape =
  /** A downward quadratic, highest at w_p `peak`; 0 and 1 stand for courses that only fall or only rise. */
  | { readonly kind: "peak"; readonly peak: number }
  /** 1 − exp(−w_p / `rise`): masking is worst, the rest is nearly alike. */
  | { readonly kind: "saturating"; readonly rise: number }
  | { readonly kind: "flat" };

/** The shape's height at a w_p, at most 0. */
export function heightOf(shape: Shape, wp: number): number {
  switch (shape.kind) {
    case "peak": {
      const farther = Math.max(shape.peak, 1 - shape.peak);
      return -(((wp - shape.peak) / farther) ** 2);
    }
    case "saturating": {
      const whole = 1 - Math.exp(-1 / shape.rise);
      return (1 - Math.exp(-wp / shape.rise)) / whole - 1;
    }
    case "flat":
      return 0;
  }
}
