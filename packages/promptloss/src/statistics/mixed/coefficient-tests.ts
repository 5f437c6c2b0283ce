// Tests of a fit's coefficients as tables print them: Student's t with Satterthwaite's degrees of freedom for a Gaussian
// fit by REML, Wald's z for a fit by maximum likelihood, which is too bold in small tables and says so by its name.
import type { MixedModelFit } from "./fit.ts";
import { satterthwaite } from "./satterthwaite.ts";

export interface CoefficientTest {
  readonly name: string;
  readonly estimate: number;
  readonly standardError: number;
  readonly statistic: number;
  /** Infinite for z. */
  readonly df: number;
  readonly p: number;
}

export interface CoefficientTests {
  readonly statistic: "t" | "z";
  readonly method: "Satterthwaite" | "Wald";
  readonly rows: readonly CoefficientTest[];
}

export function coefficientTests(fit: MixedModelFit): CoefficientTests {
  if (!fit.reml) {
    const rows = fit.coefficients.map(({ z, ...rest }) => ({
      ...rest,
      statistic: z,
      df: Number.POSITIVE_INFINITY,
    }));
    return { statistic: "z", method: "Wald", rows };
  }
  const { contrast } = satterthwaite(fit);
  const rows = fit.coefficients.map(({ name }, k) => {
    const { t, ...rest } = contrast(fit.coefficients.map((_, j) => (j === k ? 1 : 0)));
    return { name, ...rest, statistic: t };
  });
  return { statistic: "t", method: "Satterthwaite", rows };
}
