// The power of a study's tasks: its design from the factors, its noise from a pilot's results or from documented
// defaults, its items from the data. Says what each figure rests on.
import { FEWEST_DF } from "../../statistics/rules.ts";
import { unitOf } from "../results/choice-evidence.ts";
import { groupedBy } from "../results/grouped.ts";
import type { ResultRow } from "../results/result-row.ts";
import {
  type Design,
  detectable,
  itemsFactorFor,
  type Noise,
  residualDf,
  seedsFor,
  usualPower,
  verdictDf,
} from "./power.ts";
import type { Study, StudyTask } from "./read-study.ts";

export interface TaskPower {
  readonly task: string;
  readonly metric: string;
  readonly unit: string;
  /** What the noise is taken from, in words. */
  readonly noiseFrom: string;
  readonly noise: Noise;
  readonly items: number | undefined;
  /** For one pair of levels that was named before, and for the best level against both ends, corrected. */
  readonly detectable: { readonly pair: number | undefined; readonly bothEnds: number | undefined };
  /** What it would take for smaller differences, in the metric's units. */
  readonly targets: readonly {
    readonly difference: number;
    readonly seeds: number | undefined;
    readonly items: number | undefined;
  }[];
}

export interface StudyPower {
  /** The factor whose levels are compared. */
  readonly factor: string;
  readonly levels: number;
  readonly cellsPerLevel: number;
  readonly seeds: number;
  /** Of the t-tests that the power is of. */
  readonly residualDf: number;
  /** What a verdict is judged by, which compares within blocks. */
  readonly verdictDf: number;
  readonly verdict: boolean;
  readonly tasks: readonly TaskPower[];
  /** Tasks whose noise neither a pilot nor a default tells. */
  readonly unknown: readonly { readonly task: string; readonly metric: string }[];
}

/** Noise where there is no pilot. Our choice; a pilot of three seeds at one weight is better. */
export const defaultNoise = {
  /** A share of items. */
  run: 0.005,
  /** Of items on which two runs of one recipe disagree. */
  disagreement: 0.2,
  /** Nats a token of a held-out loss, all of it the run's. */
  loss: 0.02,
} as const;

/** Metrics whose spread no share of items tells. */
const UNBOUNDED: ReadonlySet<string> = new Set(["log_likelihood", "perplexity"]);

const ENDS = 2;

/** @param pilot rows of an earlier study's results */
export async function studyPower(study: Study, pilot: readonly ResultRow[] = []): Promise<StudyPower> {
  const { factors, cells } = study;
  const compared = comparedFactor(study);
  const levels = compared.labels.length;
  const seeds = factors.find(({ name }) => name === "seed")?.labels.length ?? 1;
  // With cells left out the levels have fewer cells than the product: the average.
  const perLevel = cells.length / levels;
  const intercepts = factors
    .filter(({ name }) => name !== compared.name && name !== "seed")
    .reduce((sum, { labels }) => sum + labels.length - 1, 0);
  const design: Design = { levels, perLevel, intercepts };
  const tasks: TaskPower[] = [];
  const unknown: { task: string; metric: string }[] = [];
  for (const task of study.tasks) {
    const metric = task.metric ?? primaryMetric(task, pilot);
    const found = await taskNoise(task, metric, pilot, compared.name);
    if (found === undefined) unknown.push({ task: task.task, metric });
    else tasks.push({ ...found, ...figures(found, design, seeds) });
  }
  const df = verdictDf(design);
  return {
    ...{ factor: compared.name, levels, cellsPerLevel: perLevel, seeds },
    ...{ residualDf: residualDf(design), verdictDf: df, verdict: df >= FEWEST_DF, tasks, unknown },
  };
}

/** The prompt loss weight, else the first that is no seed: seeds are the noise. */
function comparedFactor({ factors }: Study): Study["factors"][number] {
  return (
    factors.find(({ name }) => name === "plw") ?? factors.find(({ name }) => name !== "seed") ?? factors[0]!
  );
}

type TaskNoise = Omit<TaskPower, "detectable" | "targets"> & { readonly points: number };

function figures(
  { noise, items, points }: TaskNoise,
  design: Design,
  seeds: number,
): Pick<TaskPower, "detectable" | "targets"> {
  const others = design.perLevel / seeds;
  return {
    detectable: {
      pair: detectable(design, noise),
      bothEnds: detectable(design, noise, { ...usualPower, alpha: usualPower.alpha / ENDS }),
    },
    targets: [1, 2].map((target) => {
      const difference = target * points;
      const factor = itemsFactorFor(difference, design, noise);
      return {
        difference,
        seeds: seedsFor(difference, { ...design, others }, noise),
        items: items === undefined || factor === undefined ? undefined : Math.ceil(items * factor),
      };
    }),
  };
}

async function taskNoise(
  task: StudyTask,
  metric: string,
  pilot: readonly ResultRow[],
  compared: string,
): Promise<TaskNoise | undefined> {
  const unit = unitOf(metric);
  const loss = unit === "nats";
  const measured = pilotNoise(
    pilot.filter((row) => row.task === task.task && row.metric === metric),
    compared,
  );
  const items = (await task.evaluator.countItems?.(task.options)) ?? measured?.items;
  // Win rates and corpus scores run to 100.
  const scale = /^(win|length_controlled|bleu|chrf|ter)/i.test(metric) ? 100 : 1;
  const common = { ...{ task: task.task, metric, unit, items }, points: 0.01 * scale };
  if (measured !== undefined)
    return {
      ...common,
      // Runs of a pilot differ by their seed and by how each answers its items: the second falls with more items.
      noise: splitNoise(measured, items),
      noiseFrom: `the pilot: ${measured.df} degrees of freedom`,
    };
  if (loss)
    return {
      ...common,
      noise: { run: defaultNoise.loss, item: 0 },
      noiseFrom: "a default of ours: 0.02 nats a run",
    };
  if (items === undefined || UNBOUNDED.has(metric)) return undefined;
  return {
    ...common,
    noise: {
      run: defaultNoise.run * scale,
      item: scale * Math.sqrt(defaultNoise.disagreement / (2 * items)),
    },
    noiseFrom: "defaults of ours: two runs disagree on 20 % of the items, and 0.5 points a run",
  };
}

function primaryMetric({ task, evaluator }: StudyTask, pilot: readonly ResultRow[]): string {
  return (
    pilot.find((row) => row.task === task && row.primary)?.metric ??
    (task === "held-out" ? "content_loss" : (evaluator.metrics?.[0] ?? "score"))
  );
}

interface PilotNoise {
  readonly sd: number;
  readonly df: number;
  readonly items: number | undefined;
}

/** The spread of a pilot's cells that differ in their seed alone; undefined without replicates. */
function pilotNoise(rows: readonly ResultRow[], compared: string): PilotNoise | undefined {
  const replicates = groupedBy(
    rows.filter(({ value }) => Number.isFinite(value)),
    ({ factors, plw }) => {
      const { seed: _, ...rest } = factors;
      return JSON.stringify([compared === "plw" ? plw : factors[compared], rest]);
    },
  );
  let [squares, df] = [0, 0];
  for (const cells of replicates.values()) {
    const values = cells.map(({ value }) => value);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    squares += values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    df += values.length - 1;
  }
  if (df === 0 || squares === 0) return undefined;
  return {
    sd: Math.sqrt(squares / df),
    df,
    items: rows.find(({ items }) => items !== null)?.items ?? undefined,
  };
}

/** A pilot's noise at the study's number of items: at most half of its variance is taken to fall with more items. */
function splitNoise({ sd, items: before }: PilotNoise, items: number | undefined): Noise {
  if (before === undefined || items === undefined) return { run: sd, item: 0 };
  const half = sd / Math.SQRT2;
  return { run: half, item: half * Math.sqrt(before / items) };
}
