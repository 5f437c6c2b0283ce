// Every choice that stands between the runs and the figures of a report, each marked with whose it is: the paper's,
// the study file's, or our own.

import { trimmed } from "../../statistics/numbers.ts";
import { shortBelow } from "../../statistics/recommend/paper-facts.ts";
import { analysisSettings } from "../../study/results/analysis.ts";
import { flatSettings } from "./settings.ts";
import type { StudyContent } from "./study-content.ts";

/** paper: as the paper has it. study: set by this study's file. own: ours, the paper's setting was not available. */
export type ChoiceMark = "paper" | "study" | "own";

export interface Choice {
  readonly name: string;
  readonly mark: ChoiceMark;
  readonly texts: readonly string[];
}

export function choices(content: StudyContent): Choice[] {
  return [...variables(content), ...models(content), ...intervals(content)];
}

function variables({ benchmarks, fits, results }: StudyContent): Choice[] {
  return [
    {
      name: "Weights",
      mark: "paper",
      texts: [
        "The prompt loss weight (PLW) scales the loss of prompt tokens; completion tokens weigh 1. The variable of all models is w_p = PLW^0.30103, so that PLW 0.1 is w_p 0.5.",
      ],
    },
    {
      name: "Generation ratio",
      mark: "paper",
      texts: [
        `Rg is mean completion tokens over mean prompt tokens of the training data, instruction and input alone; below ${shortBelow} data count as short-completion data.`,
        "That it is a ratio of means and counts no template is derived from the paper's figures.",
      ],
    },
    {
      name: "Ratios that count as one",
      mark: "own",
      texts: [
        "Cells whose ratios lie within a factor of 1.25 are modeled together, under their geometric mean.",
      ],
    },
    {
      name: "Groups of tasks",
      mark: benchmarks.some(({ group }) => group !== null) ? "paper" : "own",
      texts: [
        "Multiple choice, short generation and long generation are the paper's groups; which group a task is in, the task or the study file says.",
        ...(benchmarks.length > 0
          ? [
              benchmarks
                .map(({ name, group, metric }) => `${name}: ${group ?? "no group"}, ${metric}`)
                .join("; "),
            ]
          : []),
      ],
    },
    ...taskSettings(results),
    {
      name: "Scores",
      mark: fits.settings.transforms === undefined ? "own" : "study",
      texts: [
        "The metric that stands for each task, brought into the range of the family in these steps:",
        ...(fits.fits[0]?.transforms ?? []).map(({ name, description }) => `${name}: ${description}`),
        "All of it within each model's own rows.",
        ...fits.notes,
        ...(results.rows.some(({ primary }) => !primary)
          ? ["Other metrics of the tasks are in the table for download and in no model."]
          : []),
      ],
    },
  ];
}

/** Folders of rows are a machine's own, and no choice. */
function taskSettings({ tasks = [] }: StudyContent["results"]): Choice[] {
  const texts = tasks.flatMap(({ task, options: { data: _folder, ...options } }) => {
    const settings = flatSettings(options).map(({ key, value }) => `${key} ${value}`);
    return settings.length === 0 ? [] : [`${task}: ${settings.join(", ")}`];
  });
  const judged = tasks.some(({ task }) => task === "alpaca-eval");
  return [
    ...(texts.length > 0 ? [{ name: "Settings of tasks", mark: "study" as const, texts }] : []),
    ...(judged
      ? [
          {
            name: "Decoding for AlpacaEval",
            mark: "own" as const,
            texts: [
              "Greedy, with at most 512 new tokens, where the study file says nothing else: the paper's exact setting was not available to us.",
            ],
          },
        ]
      : []),
  ];
}

function models({ fits }: StudyContent): Choice[] {
  const { family, formula, samplingError } = fits.settings;
  const formulas = [...new Set(fits.fits.map((fit) => fit.formula))];
  return [
    {
      name: "Sampling error",
      mark: samplingError === "residual" ? "own" : "study",
      texts: [
        samplingError === "residual"
          ? "A score's own sampling error is part of the noise that is estimated: all cells answer the same items, so that most of it cancels between them."
          : "Sampling errors are known variances beside an estimated one; whose they are stands with the scores.",
      ],
    },
    {
      name: "Family",
      mark: family === "beta" ? "paper" : "own",
      texts: [
        family === "beta"
          ? "The printed models are beta, generalized linear mixed models as the paper's; fitted with a logit link by maximum likelihood with the Laplace approximation. Claims rest on the comparison of z-scores."
          : "The printed models are Gaussian with identity link, linear mixed models by restricted maximum likelihood. The paper's family is beta; it stands beside, and where the two disagree the summary says so.",
      ],
    },
    {
      name: "Formula",
      mark: formula === undefined ? "own" : "study",
      texts: [
        ...formulas,
        ...(formula === undefined
          ? [
              "The quadratic in w_p is the paper's; the random effects (each task's own curve, a level for each block of cells, what the scores of one run share) are ours: the paper's exact setting was not available to us.",
            ]
          : []),
      ],
    },
    ...(fits.surfaces.length > 0
      ? [
          {
            name: "Response surface",
            mark: "own" as const,
            texts: [
              "A penalized tensor product of cubic splines over w_p and log Rg, its smoothness chosen by REML, of the cells' means over their benchmarks; its best weights by draws of its posterior, seed 1.",
            ],
          },
        ]
      : []),
    {
      name: "Single benchmarks",
      mark: "own",
      texts: [
        "Each has a comparison and a model of its own. Their p-values are corrected together with those of groups and of all tasks.",
      ],
    },
  ];
}

function intervals({ fits }: StudyContent): Choice[] {
  const { level, alpha, bootstrap, seed } = fits.settings;
  const percent = `${trimmed(100 * level, 4)} %`;
  return [
    {
      name: "Significance",
      mark: changed(alpha, "alpha") ? "study" : "own",
      texts: [
        `At ${alpha}, Student's t with Satterthwaite's degrees of freedom on scores scaled within each task and compared within blocks of cells; one sequentially rejective correction over all ${fits.tested} statements, of which those over all tasks share half of the error: a statement's share goes first to any relation, then to the comparisons with the two ends, then back to the others.`,
        "A relation: the trend or the curvature in w_p, the smaller p-value times two. A best weight inside: means of neighboring weights beat both observed ends, corrected for the choice of neighbors, and the quadratic fits. Fewer than 6 residual degrees of freedom carry no verdict.",
        "From four tasks on, statements are about tasks like these, and how tasks differ counts as uncertainty; with fewer they are about these tasks.",
      ],
    },
    {
      name: "Interval of the vertex",
      mark: changed(bootstrap, "bootstrap") || changed(level, "level") ? "study" : "own",
      texts: [
        bootstrap > 0
          ? `${percent} by Fieller's method with Student's t, on the scale of w_p; beside it a parametric bootstrap of the printed model, ${bootstrap} refits, seed ${seed}.`
          : `${percent} by Fieller's method with Student's t, on the scale of w_p.`,
      ],
    },
    {
      name: "Intervals of points",
      mark: "own",
      texts: [
        `${percent} of the mean over a weight's cells by Student's t, with the spread within weights pooled over all weights; it holds what the other factors (seeds, models) add. Where each weight has one cell, the task's own standard error; of a group, those of its tasks together, as of independent ones.`,
      ],
    },
    {
      name: "Bands of curves",
      mark: "own",
      texts: [
        `${percent}, pointwise, of a typical group's mean by the uncertainty of the fixed effects. Curves of benchmarks are brought back to the metric's own unit by the inverse of the steps above.`,
      ],
    },
  ];
}

const defaults = analysisSettings();

function changed(value: unknown, key: keyof typeof defaults): boolean {
  return JSON.stringify(value) !== JSON.stringify(defaults[key]);
}
