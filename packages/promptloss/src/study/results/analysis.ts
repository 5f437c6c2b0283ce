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
        "Of the model that is printed and drawn; the other one stands beside it. Claims rest on neither alone.",
      ),
    formula: z
      .string()
      .min(1)
      .optional()
      .describe("Of `score`, by the table's columns and `benchmark`; made from the factors where left out."),
    /**
     * Steps on the scores of a model's own rows, in order; min-max works within each benchmark. Left out: min-max and
     * squeeze for the beta family. For the Gaussian one scores are z-scored after them.
     */
    transforms: z.array(transform).optional(),
    level: z.number().gt(0).lt(1).default(0.95),
    alpha: z.number().gt(0).lt(1).default(0.05).describe("Below which a p-value counts as significant."),
    bootstrap: z
      .int()
      .min(0)
      .default(0)
      .describe("Refits of a bootstrap interval of the printed model's vertex; 0 for none."),
    seed: z.int().min(0).default(1),
  })
  .prefault({});

export type AnalysisSettings = z.output<typeof analysisSection>;

/** Settings with every default. */
export function analysisSettings(given: z.input<typeof analysisSection> = {}): AnalysisSettings {
  return analysisSection.parse(given);
}
