// How a study's results are modeled: the `analysis` section of a study file. Every default is our choice and is
// recorded with the results.
import { z } from "zod";

const transform = z.union([
  z.enum(["percent", "min-max", "squeeze", "clip"]),
  z.strictObject({ clip: z.number().gt(0).lt(0.5) }),
]);

export const analysisSection = z
  .strictObject({
    family: z
      .enum(["beta", "gaussian"])
      .default("gaussian")
      .describe(
        "The family of the model that is printed and drawn. The other one is fitted too; claims rest on neither alone.",
      ),
    formula: z
      .string()
      .min(1)
      .optional()
      .describe(
        "The model's formula: `score` by the table's columns and `benchmark`. Left out: made from the factors.",
      ),
    transforms: z
      .array(transform)
      .optional()
      .describe(
        "Transformations of the scores of a model's own rows, in order; `min-max` works within each benchmark. Left out: `min-max` and `squeeze` for `beta`, none for `gaussian`. The Gaussian family standardizes scores after them.",
      ),
    samplingError: z
      .enum(["residual", "known"])
      .default("residual")
      .describe(
        "How a score's sampling error counts. `residual`: as part of the estimated noise. `known`: as a known variance beside it, paired by item where the evaluations left records, else from the score's standard error; for `gaussian` alone.",
      ),
    level: z.number().gt(0).lt(1).default(0.95).describe("The confidence level of intervals."),
    alpha: z.number().gt(0).lt(1).default(0.05).describe("A smaller p-value counts as significant."),
    bootstrap: z
      .int()
      .min(0)
      .default(0)
      .describe("Refits for a bootstrap interval of the printed model's vertex; 0 for none."),
    seed: z.int().min(0).default(1).describe("The seed of the bootstrap."),
  })
  .refine(({ family, samplingError }) => family === "gaussian" || samplingError === "residual", {
    path: ["samplingError"],
    error: "known sampling errors are for the gaussian family",
  })
  .prefault({});

export type AnalysisSettings = z.output<typeof analysisSection>;

/** Settings with every default. */
export function analysisSettings(given: z.input<typeof analysisSection> = {}): AnalysisSettings {
  return analysisSection.parse(given);
}
