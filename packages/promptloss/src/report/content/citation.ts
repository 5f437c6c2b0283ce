// Sentences for a paper's methods section, and BibTeX of what they cite.
import { trimmed } from "../../statistics/numbers.ts";
import type { StudyContent } from "./study-content.ts";

/** A methods paragraph, made from the study itself. */
export function methodsParagraph(content: StudyContent, version: string): string {
  const { results, fits, benchmarks, cells } = content;
  const weights = [...new Set(results.rows.map(({ plw }) => plw))].sort((a, b) => a - b);
  const done = new Set(results.rows.map(({ cell }) => cell)).size;
  const others = results.factors.filter((name) => name !== "plw" && name !== "seed");
  const seeds = new Set(results.rows.map(({ factors }) => factors.seed ?? "")).size;
  const run = cells.find((cell) => cell.run !== undefined)?.run;
  const { family, level, alpha, samplingError } = fits.settings;
  const overall = fits.fits.find(({ taskGroup }) => taskGroup === undefined);
  return [
    `We fine-tuned ${done} ${done === 1 ? "model" : "models"} with prompt loss weights (PLW) ${listed(weights.map((plw) => trimmed(plw, 4)))}` +
      `${others.length > 0 ? `, crossed with ${listed(others)},` : ""} and ${seeds} ${seeds === 1 ? "seed" : "seeds"} each, with promptloss ${version}.`,
    run &&
      `The loss was normalized by ${run.normalization} over the ${run.reduceOver === "batch" ? "accumulated batch" : run.reduceOver}, with matrix products in ${run.precision}.`,
    benchmarks.length > 0 &&
      `Each model was scored on ${listed(benchmarks.map(({ name, metric }) => `${name} (${metric})`))}.`,
    "Scores were compared across weights within blocks of otherwise equal runs, each task scaled by its deviation within blocks, as a function of w_p = PLW^0.30103 (Huerta-Enochian and Ko, 2024).",
    samplingError === "known" &&
      "The scores' own sampling errors, paired by item within blocks where the evaluations left records, entered as known variances beside an estimated one.",
    `We tested for a trend and a curvature with Student's t on ${overall?.finding ? `${trimmed(overall.finding.evidence.residualDf, 4)} residual` : "the residual"} degrees of freedom, and call a best weight inside the range only where weights inside beat both ends of it; its interval is Fieller's at ${trimmed(100 * level, 4)} %.`,
    `p-values are corrected by one sequentially rejective graph over all ${fits.tested} statements and their comparisons with the ends (Bretz et al., 2009), at α = ${alpha}.`,
    overall?.fit &&
      `Curves were drawn from a ${family === "beta" ? "beta" : "Gaussian"} mixed model, ${overall.formula}.`,
    fits.atChance.length > 0 &&
      `${listed(fits.atChance)} scored at chance and ${fits.atChance.length === 1 ? "was" : "were"} set aside before testing.`,
  ]
    .filter((sentence) => typeof sentence === "string")
    .join(" ");
}

export function bibtex(version: string, year: number): string {
  return `@inproceedings{huerta-enochian-ko-2024-prompt-loss,
  title     = {Instruction Fine-Tuning: Does Prompt Loss Matter?},
  author    = {Huerta-Enochian, Mathew and Ko, Seung Yong},
  booktitle = {Proceedings of the 2024 Conference on Empirical Methods in Natural Language Processing},
  year      = {2024},
  note      = {arXiv:2401.13586}
}
@software{promptloss,
  title   = {promptloss},
  version = {${version}},
  year    = {${year}}
}
@article{fieller-1954,
  title   = {Some Problems in Interval Estimation},
  author  = {Fieller, E. C.},
  journal = {Journal of the Royal Statistical Society. Series B},
  volume  = {16},
  number  = {2},
  pages   = {175--185},
  year    = {1954}
}
@article{bretz-2009,
  title   = {A Graphical Approach to Sequentially Rejective Multiple Test Procedures},
  author  = {Bretz, Frank and Maurer, Willi and Brannath, Werner and Posch, Martin},
  journal = {Statistics in Medicine},
  volume  = {28},
  number  = {4},
  pages   = {586--604},
  year    = {2009}
}
`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
