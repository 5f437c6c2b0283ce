import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Row } from "../design/table.ts";
import { bootstrap } from "./bootstrap.ts";
import { fitMixedModel, type MixedModelOptions } from "./model.ts";

const { data } = JSON.parse(
  readFileSync(new URL("../goldens/mixed-models.json", import.meta.url), "utf8"),
) as {
  data: Row[];
};

// The refits scatter as the standard errors say, the intercept's above all by the benchmarks' own draws. A deviation
// from 200 refits is itself right to 5 %; the rest is that Wald's errors are an approximation with eight benchmarks.
test.each<MixedModelOptions>([{}, { family: "gaussian" }, { family: "gaussian", reml: true }])(
  "%j",
  (options) => {
    const fit = fitMixedModel(data, "score ~ wp + (1 | benchmark)", options);
    const { coefficients, failed } = bootstrap(fit, { replicates: 200, seed: 5 });
    expect(failed).toBe(0);
    for (const [j, { estimate, standardError }] of fit.coefficients.entries()) {
      const draws = coefficients.map((beta) => beta[j]!);
      const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
      const sd = Math.sqrt(draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (draws.length - 1));
      expect(sd / standardError).toBeGreaterThan(0.8);
      expect(sd / standardError).toBeLessThan(1.2);
      expect(Math.abs(mean - estimate) / standardError).toBeLessThan(0.25);
    }
  },
);
