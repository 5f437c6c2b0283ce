// Made-up studies whose truth is known: designs of weights and seeds, tasks, and what the scores do with the weight.

import { wpOfPlw } from "promptloss/statistics";
import { analysisSettings, type ResultRow, type StudyResults } from "promptloss/study";
import { randomSource } from "./random.ts";

export interface Design {
  readonly weights: number;
  readonly seeds: number;
}

export const DESIGNS: readonly Design[] = [
  { weights: 3, seeds: 2 },
  { weights: 5, seeds: 1 },
  { weights: 5, seeds: 2 },
  { weights: 10, seeds: 1 },
  { weights: 10, seeds: 2 },
  { weights: 10, seeds: 5 },
];

const LADDERS: Readonly<Record<number, readonly number[]>> = {
  3: [0, 0.1, 1],
  5: [0, 0.01, 0.1, 0.3, 1],
  10: [0, 5e-4, 2.236e-3, 1e-2, 2.463e-2, 5e-2, 0.1, 0.2463, 0.5, 1],
};

export type Course = "none" | "monotone" | "saturating" | "early-saturating" | "quadratic";

/** w_p of the quadratic's vertex. */
export const VERTEX = 0.55;

const courses: Readonly<Record<Course, (wp: number) => number>> = {
  none: () => 0,
  monotone: (wp) => wp,
  saturating: (wp) => 1 - Math.exp(-wp / 0.25),
  "early-saturating": (wp) => Math.min(1, wp / 0.3),
  quadratic: (wp) => 1 - ((wp - VERTEX) / VERTEX) ** 2,
};

export interface Truth {
  readonly name: string;
  readonly course: Course;
  /** Rise over the range (of the quadratic, from weight 0 to the vertex), in deviations of a score's own noise. */
  readonly size: number;
  readonly tasks: number;
  /** Deviation of tasks' own slopes and curvatures, in the same unit. */
  readonly differing: number;
  /** Deviation of what the scores of one run share. */
  readonly shared: number;
  /** Generation ratios, each with all weights and seeds. */
  readonly ratios: number;
}

function truth(
  name: string,
  course: Course,
  size: number,
  tasks: number,
  { differing = 0, shared = 0, ratios = 1 }: Partial<Truth> = {},
): Truth {
  return { name, course, size, tasks, differing, shared, ratios };
}

export const TRUTHS: readonly Truth[] = [
  truth("nothing, 1 task", "none", 0, 1),
  truth("nothing, 6 tasks", "none", 0, 6),
  truth("nothing, 6 tasks that differ", "none", 0, 6, { differing: 1.5 }),
  truth("nothing, 4 tasks that differ", "none", 0, 4, { differing: 1.5 }),
  truth("nothing, 6 tasks, runs share noise", "none", 0, 6, { shared: 1 }),
  truth("nothing, 6 tasks that differ, runs share noise", "none", 0, 6, { differing: 1.5, shared: 1 }),
  truth("nothing, 1 task, 4 ratios", "none", 0, 1, { ratios: 4 }),
  truth("monotone, 1 task", "monotone", 3, 1),
  truth("monotone, 6 tasks", "monotone", 3, 6, { differing: 0.5, shared: 0.5 }),
  truth("saturating, 1 task", "saturating", 4, 1),
  truth("saturating, 6 tasks", "saturating", 4, 6, { differing: 0.5, shared: 0.5 }),
  truth("early saturating, 1 task", "early-saturating", 4, 1),
  truth("early saturating, 1 task, strong", "early-saturating", 12, 1),
  truth("early saturating, 1 task, 4 ratios", "early-saturating", 4, 1, { ratios: 4 }),
  truth("early saturating, 6 tasks", "early-saturating", 4, 6, { differing: 0.5, shared: 0.5 }),
  truth("quadratic, 1 task", "quadratic", 5, 1),
  truth("quadratic, 6 tasks", "quadratic", 3, 6, { differing: 0.5, shared: 0.5 }),
  truth("quadratic, 6 tasks, weak", "quadratic", 1, 6),
];

const settings = analysisSettings();

/** The cells of a design of one ratio. */
export function cellsOf({ weights, seeds }: Design): { plw: number; wp: number; seed: number }[] {
  return LADDERS[weights]!.flatMap((plw) =>
    Array.from({ length: seeds }, (_, seed) => ({ plw, wp: wpOfPlw(plw), seed })),
  );
}

/** A study's results drawn from a truth; the same seed draws the same. */
export function drawStudy({ weights, seeds }: Design, truth: Truth, seed: number): StudyResults {
  const random = randomSource(seed);
  const normals = (count: number, deviation: number): number[] =>
    Array.from({ length: count }, () => deviation * random.normal());
  const course = courses[truth.course];
  const slopes = normals(truth.tasks, truth.differing);
  const bends = normals(truth.tasks, truth.differing);
  const runs = Array.from({ length: truth.ratios }, (_, r) => r).flatMap((r) => {
    const levels = Array.from({ length: seeds }, () => normals(truth.tasks, 1));
    return LADDERS[weights]!.map((plw) => ({ r, levels, plw }));
  });
  const rows: ResultRow[] = [];
  for (const { r, levels, plw } of runs) {
    const wp = wpOfPlw(plw);
    const data = truth.ratios > 1 ? { data: `rg ${r}` } : {};
    for (let s = 0; s < seeds; s++) {
      const shared = truth.shared * random.normal();
      for (let t = 0; t < truth.tasks; t++) {
        const own = slopes[t]! * (wp - 0.5) + bends[t]! * 4 * (wp - 0.5) ** 2;
        const score = truth.size * course(wp) + own + levels[s]![t]! + shared + random.normal();
        rows.push({
          ...{ study: "made", cell: `${r}-${plw}-${s}`, factors: { plw, seed: s, ...data }, plw, wp },
          ...{
            generationRatio: 0.1 * 3 ** r,
            task: `task ${t}`,
            taskGroup: "multiple-choice",
            metric: "acc",
          },
          ...{
            higherIsBetter: true,
            primary: true,
            standardError: null,
            pairedError: null,
            items: null,
            chance: null,
            precision: null,
            probes: {},
          },
          // Tasks have units of their own.
          value: 50 + (1 + t) * score,
        });
      }
    }
  }
  return {
    ...{ study: "made", factors: ["plw", "seed"], probes: [], rows, analysis: settings },
    cells: weights * seeds * truth.ratios,
  };
}
