// What a search or a choice is tried on: courses of a score over w_p and the learning rate whose best is known, and
// dense studies that were really run, replayed. Synthetic scores have a gap of about 1 between best and worst weight.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fitStudy, readStudyResults } from "promptloss";
import type { Point, RandomSource } from "promptloss/statistics";

export interface Truth {
  readonly name: string;
  /** The mean score, higher is better. */
  score(point: Point): number;
  /** A run's score. */
  run(point: Point, random: RandomSource): number;
  /** Rg that a user would give. */
  readonly generationRatio: number;
  /** w_p that can be run; any of the space where undefined. */
  readonly wps?: readonly number[];
  /** log10 of the learning rates that can be run; those of the space where undefined or empty. */
  readonly logRates?: readonly number[];
}

function rise(wp: number, by: number): number {
  return 1 - Math.exp(-wp / by);
}

/** Downward quadratics with a gap of 1, the ends, rising and then flat, nothing. */
const courses: Readonly<Record<string, (wp: number) => number>> = {
  ...Object.fromEntries(
    [0.2, 0.35, 0.5, 0.65, 0.8].map((peak) => [
      `peak at ${peak}`,
      (wp: number) => -(((wp - peak) / Math.max(peak, 1 - peak)) ** 2),
    ]),
  ),
  rises: (wp) => wp,
  falls: (wp) => -wp,
  "rises, then flat": (wp) => rise(wp, 0.12),
  flat: () => 0,
};

/** A valley where the paper's facts expect the peak: what a prior costs where it is wrong. Set apart from the mixture. */
function adverse(wp: number): number {
  return Math.exp(-(((wp - 0.2) / 0.12) ** 2)) + 0.8 * Math.exp(-(((wp - 0.9) / 0.15) ** 2));
}

export const ADVERSE = "valley at 0.55";

export interface SyntheticOptions {
  /** Standard deviation of a run, over the gap of about 1. */
  readonly noise: number;
  /** Whether the learning rate matters: its best log rate is from −0.125 at weight 0 to 0.125 at weight 1. */
  readonly rates?: boolean;
  readonly generationRatio?: number;
}

/** The mixture, and the adverse one last. */
export function syntheticTruths({ noise, rates = false, generationRatio = 0.3 }: SyntheticOptions): Truth[] {
  return Object.entries({ ...courses, [ADVERSE]: adverse }).map(([name, course]) => {
    const score = ({ wp, logRate = 0 }: Point): number => {
      const off = logRate - 0.25 * (wp - 0.5);
      return course(wp) - (rates ? 1.5 * off ** 2 : 0);
    };
    return {
      ...{ name, score, generationRatio },
      run: (point, random) => score(point) + noise * random.normal(),
    };
  });
}

/** Rows of a study's results as they are in its file. */
type ResultRow = Readonly<Record<string, unknown>>;

/** Of the study that docs/replication-report.html carries. */
export function rowsOfReport(page: URL): ResultRow[] {
  const link = /download="[^"]+\.jsonl" href="data:[^"]*;base64,([A-Za-z0-9+/=]+)"/;
  const [, encoded] = link.exec(readFileSync(page, "utf8"))!;
  return rowsOf(Buffer.from(encoded!, "base64").toString());
}

/** Of the results in a folder, but for tasks that its models answer by chance. */
export function rowsAboveChance(folder: URL): ResultRow[] {
  const { atChance } = fitStudy(readStudyResults(fileURLToPath(folder)));
  const rows = rowsOf(readFileSync(new URL("results.jsonl", folder), "utf8"));
  return rows.filter(({ task }) => !atChance.includes(String(task)));
}

function rowsOf(text: string): ResultRow[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ResultRow);
}

/** Where a run of a study stands. */
function pointOf({ wp, learningRate }: ResultRow): Point {
  return { wp: Number(wp), ...(learningRate !== undefined && { logRate: Math.log10(Number(learningRate)) }) };
}

/**
 * The benchmarks of a study that was really run: for each data set and metric the mean over seeds is the truth, and a run
 * is one of the seeds' own scores. The truth has noise of its own, which the runs share: regrets are of this table,
 * neither bounds nor estimates of a longer study's.
 */
export function replayedTruths(rows: readonly ResultRow[]): Truth[] {
  const primary = rows.filter((row) => row.primary === true && Number.isFinite(row.value));
  const nameOf = ({ task, metric, dataset }: ResultRow): string =>
    `${task} ${metric}${dataset === undefined ? "" : `, ${dataset}`}`;
  return [...new Set(primary.map(nameOf))].map((name) => {
    const own = primary.filter((row) => nameOf(row) === name);
    const sign = own[0]!.higher_is_better === true ? 1 : -1;
    const keyOf = ({ wp, logRate }: Point): string => `${wp} ${logRate}`;
    const byPoint = new Map<string, number[]>();
    for (const row of own) {
      const key = keyOf(pointOf(row));
      byPoint.set(key, [...(byPoint.get(key) ?? []), sign * Number(row.value)]);
    }
    const scoresAt = (point: Point): number[] => byPoint.get(keyOf(point))!;
    const points = own.map(pointOf);
    const all = points.map((point) => mean(scoresAt(point)));
    // In units of the truth's gap, so that benchmarks can be put side by side.
    const gap = Math.max(...all) - Math.min(...all);
    return {
      name,
      wps: rising(points.map(({ wp }) => wp)),
      logRates: rising(points.flatMap(({ logRate }) => logRate ?? [])),
      generationRatio: Number(own[0]!.rg),
      score: (point) => mean(scoresAt(point)) / gap,
      run: (point, random) => {
        const scores = scoresAt(point);
        return scores[Math.floor(random.uniform() * scores.length)]! / gap;
      },
    };
  });
}

function rising(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
