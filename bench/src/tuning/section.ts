// The section of docs/BENCHMARKS.md on choices and searches, from its figures.
import { markdownTable } from "../lib/report.ts";
import { inWords } from "./summary.ts";
import { ADVERSE } from "./truths.ts";
import type { Cell, TuningFigures } from "./worth.ts";

export function sectionOf(figures: TuningFigures): string {
  const { replicates, noises, searchNoise, ratio, choices, choicesByTruth, searches } = figures;
  const rules = Object.keys(choices[0]!.by);
  const strategies = Object.keys(searches[0]!.cells[0]!.by);
  return [
    "## Choices and searches by their regret",
    "",
    `\`npm run bench:tuning\`. ${replicates} replicates of each truth; regret is the best score less the chosen one's, in units of about the gap between best and worst weight; ± is half a 95 % interval. Every run costs the same training tokens. Truths of the means: a peak at w_p 0.2, 0.35, 0.5, 0.65, 0.8, rising, falling, rising and then flat, flat; "${ADVERSE}" has two humps with the valley where the prior expects the peak, and is set apart: what a prior costs where it is wrong. Noise of a run ${noises.join(" and ")} in choices, ${searchNoise} in searches. Rg ${ratio}, where the prior is wide. The set of truths of the means and the prior were revised after trial runs of this bench (a truth with two humps was set apart, the prior's peaks widened, its tails made heavier), so small leads may come from that. ± takes all replicates for independent; replicates of different truths share their noise. Where the rate is searched, the best of the three is the middle one in every truth, where the design of tune begins; a grid of 6 has the two ends of the weights alone.`,
    "",
    "A choice after a given study (weights × seeds):",
    "",
    markdownTable(
      ["study", ...rules],
      choices.map(({ of, by }) => [of, ...rules.map((name) => inWords(by[name]!))]),
    ),
    "",
    "The same by truth, over all studies:",
    "",
    markdownTable(
      ["truth", ...rules],
      choicesByTruth.map(({ of, by }) => [of, ...rules.map((name) => inWords(by[name]!))]),
    ),
    "",
    "A search, mean over the truths, and the valley apart. Replayed: the benchmarks and held-out losses of the study in docs/replication-report.html, where a run is one of the seeds' own scores and the truth is their mean, which has noise of its own; and, over weights and learning rates, those of the study in recipes/replication/results/learning-rate, without the task that is answered by chance.",
    "",
    markdownTable(
      ["over", "runs", "noise", ...strategies],
      searches.flatMap(({ title, runs, noise, cells }) => {
        const row = (what: string, cell: Cell): string[] => [
          what,
          String(runs),
          noise === undefined ? "the study's" : String(noise),
          ...strategies.map((name) => inWords(cell.by[name]!)),
        ];
        const apart = cells.find(({ of }) => of === ADVERSE);
        return [
          row(title, cells.at(-1)!),
          ...(apart === undefined ? [] : [row(`${title}: ${ADVERSE}`, apart)]),
        ];
      }),
    ),
  ].join("\n");
}
