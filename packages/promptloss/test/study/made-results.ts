// Results of a study that no model has made: scores along a curve in w_p with a little noise, or flat noise.

import { type TaskGroup, wpOfPlw } from "../../src/statistics/index.ts";
import { randomSource } from "../../src/statistics/random.ts";
import { analysisSettings, type ResultRow, type StudyResults } from "../../src/study/results/index.ts";

export interface MadeResults {
  /** Generation ratios, each with all weights and seeds. */
  readonly ratios: readonly number[];
  readonly tasks?: readonly string[];
  /** The w_p of the highest scores; none where left out. */
  readonly best?: number;
}

const WEIGHTS = [0, 0.001, 0.01, 0.1, 0.3, 0.6, 1];
const NOISE = 0.01;

export function studyResults({ ratios, tasks = ["quiz"], best }: MadeResults): StudyResults {
  const random = randomSource(7);
  const rows = ratios.flatMap((generationRatio) =>
    WEIGHTS.flatMap((plw) =>
      [1, 2, 3].flatMap((seed) =>
        tasks.map((task): ResultRow => {
          const wp = wpOfPlw(plw);
          const height = best === undefined ? 0.5 : 0.8 - 0.6 * (wp - best) ** 2;
          return {
            study: "made",
            cell: `${generationRatio}-${plw}-${seed}`,
            factors: { plw, seed },
            ...{ plw, wp, generationRatio, task, taskGroup: groupOf(task) },
            ...{ metric: "accuracy", higherIsBetter: true, primary: true },
            value: height + NOISE * random.normal(),
            standardError: NOISE,
            pairedError: null,
            ...{ items: 100, chance: null, precision: null },
            probes: { distance: plw },
          };
        }),
      ),
    ),
  );
  const cells = new Set(rows.map(({ cell }) => cell)).size;
  return {
    ...{ study: "made", factors: ["plw", "seed"], probes: ["distance"], rows, cells },
    analysis: analysisSettings(),
  };
}

function groupOf(task: string): TaskGroup {
  return task === "essay" ? "long-generation" : "multiple-choice";
}
