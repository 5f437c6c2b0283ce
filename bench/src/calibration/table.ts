// The calibration's figures as tables: false claims, mislabeled shapes, coverage, power.
import { markdownTable } from "../lib/report.ts";
import type { SamplingTally } from "./sampling.ts";
import { pairedDifference, type Share, share, type Tally } from "./tally.ts";

function percent(x: number): string {
  return (100 * x).toFixed(1);
}

function shown(found: Share | undefined): string {
  return found === undefined
    ? "–"
    : `${percent(found.share)} (${percent(found.lower)} to ${percent(found.upper)})`;
}

/** Several tables with a line above each. */
export function calibrationTables(tallies: readonly Tally[]): string {
  const of = (pick: (tally: Tally) => boolean): Tally[] => tallies.filter(pick);
  const judged = (tally: Tally): string => (tally.judged === 0 ? "no verdict: too few cells" : "");
  const tables = [
    "Nothing is there: studies that claim something, %",
    markdownTable(
      ["truth", "weights × seeds", "false claims", "a t-test over tasks"],
      of(({ course }) => course === "none").map((tally) => [
        ...[tally.truth, tally.design],
        judged(tally) || shown(share(tally.falseClaims, tally.studies)),
        tally.truth.includes("1 task") ? "–" : shown(share(tally.twoStage, tally.studies)),
      ]),
    ),
    "No best weight inside: studies that claim one, %, and what they say instead",
    markdownTable(
      ["truth", "weights × seeds", "called a maximum", "verdicts"],
      of(({ course }) => !["none", "quadratic"].includes(course)).map((tally) => [
        ...[tally.truth, tally.design],
        judged(tally) || shown(share(tally.falsePeaks, tally.studies)),
        verdicts(tally),
      ]),
    ),
    "A best weight inside: studies that find it, and whether its interval holds it, %",
    markdownTable(
      [
        ...["truth", "weights × seeds", "claimed", "all intervals", "printed intervals"],
        ...["all by the delta method", "verdicts"],
      ],
      of(({ course }) => course === "quadratic").map((tally) => [
        ...[tally.truth, tally.design],
        judged(tally) || shown(share(tally.peaks, tally.studies)),
        shown(share(tally.covered, tally.intervals)),
        shown(share(tally.printedCovered, tally.printed)),
        shown(share(tally.deltaCovered, tally.intervals)),
        verdicts(tally),
      ]),
    ),
    "Nothing is there, uncorrected at 5 % and few cells or not: what other rules would claim over all tasks, %",
    markdownTable(
      ["truth", "weights × seeds", "ours", "a normal in place of t", "each score a run of its own"],
      of(({ course, truth }) => course === "none" && !truth.includes("ratios")).map((tally) => [
        ...[tally.truth, tally.design],
        judged(tally) || shown(share(tally.found, tally.studies)),
        shown(share(tally.byNormal, tally.studies)),
        shown(share(tally.byScores, tally.studies)),
      ]),
    ),
    "Power over all tasks, uncorrected at 5 %: studies that see a relation, %",
    markdownTable(
      ["truth", "weights × seeds", "ours", "a t-test over tasks"],
      of(
        ({ course, truth, judged: count }) => course !== "none" && truth.includes("6 tasks") && count > 0,
      ).map((tally) => [
        ...[tally.truth, tally.design],
        shown(share(tally.found, tally.studies)),
        shown(share(tally.twoStage, tally.studies)),
      ]),
    ),
  ];
  return tables.join("\n\n");
}

/** With a score's sampling error as a known variance, and without. */
export function samplingTable(tallies: readonly SamplingTally[]): string {
  return [
    "One task of 200 items, uncorrected at 5 %: studies that see a relation, without a score's sampling error, with its own " +
      "as a known variance, and with that of comparisons on the same items, %",
    markdownTable(
      ["truth", "items", "weights × seeds", "without", "own", "paired by item"],
      tallies.map(({ course, sharedItems, design, studies, without, known, paired }) => [
        course === "none" ? "nothing" : "quadratic",
        ...[sharedItems ? "the same for all cells" : "each cell's own", design],
        ...[shown(share(without, studies)), shown(share(known, studies))],
        shown(paired === undefined ? undefined : share(paired, studies)),
      ]),
    ),
  ].join("\n\n");
}

function verdicts({ shapes, studies }: Tally): string {
  return Object.entries(shapes)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([shape, count]) => `${shape} ${percent(count / studies)}`)
    .join("; ");
}

export interface Aim {
  readonly name: string;
  /** "not refuted": a figure lies beyond the aim, but its interval reaches it. */
  readonly state: "met" | "not refuted" | "not met";
  readonly worst: string;
}

/**
 * The aims, each with its worst figure. An aim is met where every figure is within it, and not met where the interval of
 * one lies wholly beyond it.
 */
export function aims(tallies: readonly Tally[]): Aim[] {
  const worstOf = (
    name: string,
    figures: readonly { readonly at: string; readonly found: Share | undefined }[],
    [least, most]: readonly [number, number],
    badness: (found: Share) => number,
  ): Aim => {
    const known = figures.flatMap(({ at, found }) => (found === undefined ? [] : [{ at, found }]));
    const worst = known.reduce<(typeof known)[number] | undefined>(
      (top, each) => (top === undefined || badness(each.found) > badness(top.found) ? each : top),
      undefined,
    );
    const missed = known.some(({ found: { lower, upper } }) => lower > most || upper < least);
    const beyond = known.some(({ found }) => found.share > most || found.share < least);
    return {
      name,
      state: missed ? "not met" : beyond ? "not refuted" : "met",
      worst: worst === undefined ? "nothing measured" : `${shown(worst.found)} % at ${worst.at}`,
    };
  };
  const at = ({ truth, design }: Tally): string => `${truth}, ${design}`;
  return [
    worstOf(
      "false claims at most 7 %",
      tallies
        .filter(({ course }) => course === "none")
        .map((tally) => ({ at: at(tally), found: share(tally.falseClaims, tally.studies) })),
      [0, 0.07],
      (found) => found.share,
    ),
    worstOf(
      "courses without a best weight inside called a maximum at most 7 %",
      tallies
        .filter(({ course }) => course !== "quadratic")
        .map((tally) => ({ at: at(tally), found: share(tally.falsePeaks, tally.studies) })),
      [0, 0.07],
      (found) => found.share,
    ),
    worstOf(
      "intervals of the vertex cover 93 to 97 %",
      tallies
        .filter(({ course }) => course === "quadratic")
        .map((tally) => ({ at: at(tally), found: share(tally.covered, tally.intervals) })),
      [0.93, 0.97],
      (found) => Math.abs(found.share - 0.95),
    ),
    powerAim(tallies),
  ];
}

/** Where tasks do not differ and runs share no noise a t-test over tasks keeps its level, and its power is a fair bar. */
function powerAim(tallies: readonly Tally[]): Aim {
  const gaps = tallies.flatMap((tally) =>
    tally.judged > 0 && tally.alone !== undefined
      ? [{ tally, gap: pairedDifference(tally.alone, tally.studies) }]
      : [],
  );
  const worst = gaps.reduce<(typeof gaps)[number] | undefined>(
    (low, each) => (low === undefined || each.gap.share < low.gap.share ? each : low),
    undefined,
  );
  const percents = (count: number, { studies }: Tally): string => percent(count / studies);
  return {
    name: "power not below a t-test over tasks, where that test is fair",
    state: gaps.some(({ gap }) => gap.upper < 0)
      ? "not met"
      : gaps.some(({ gap }) => gap.share < 0)
        ? "not refuted"
        : "met",
    worst:
      worst === undefined
        ? "nothing measured"
        : `${percents(worst.tally.found, worst.tally)} % against ${percents(worst.tally.twoStage, worst.tally)} % ` +
          `(a difference of ${shown(worst.gap)} points on the same studies) at ${worst.tally.truth}, ${worst.tally.design}`,
  };
}

/** The aims as lines of Markdown. */
export function aimLines(tallies: readonly Tally[]): string {
  return aims(tallies)
    .map(({ name, state, worst }) => `- ${state === "met" ? state : `**${state}**`}: ${name}; worst ${worst}`)
    .join("\n");
}

/** What other rules would do on the same studies, as lines of Markdown: the reasons for ours. */
export function ruleLines(tallies: readonly Tally[], sampling: readonly SamplingTally[]): string {
  const range = (
    of: readonly Tally[],
    count: (tally: Tally) => number,
    per: (tally: Tally) => number,
  ): string => {
    const shares = of.filter((tally) => per(tally) > 0).map((tally) => count(tally) / per(tally));
    return `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} %`;
  };
  const studies = (tally: Tally): number => tally.studies;
  const nulls = tallies.filter(({ course, truth }) => course === "none" && !truth.includes("ratios"));
  const one = nulls.filter(({ truth }) => truth.includes("1 task"));
  const linked = nulls.filter(({ truth }) => /differ|share/.test(truth));
  const sharing = nulls.filter(({ truth }) => truth.includes("share"));
  const tops = tallies.filter(({ course, judged }) => course === "quadratic" && judged > 0);
  const same = sampling.filter(({ sharedItems }) => sharedItems);
  const apart = sampling.filter(({ sharedItems }) => !sharedItems);
  const ofSampling = (
    of: readonly SamplingTally[],
    course: SamplingTally["course"],
    count: (tally: SamplingTally) => number,
  ): string => {
    const shares = of.filter((tally) => tally.course === course).map((tally) => count(tally) / tally.studies);
    return `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} %`;
  };
  const rates = (of: readonly SamplingTally[], count: (tally: SamplingTally) => number): string =>
    `${ofSampling(of, "none", count)} false claims and ${ofSampling(of, "quadratic", count)} power`;
  return [
    `- Each score a run of its own: ${range(linked, (tally) => tally.byScores, studies)} false claims where tasks differ or runs share noise.`,
    `- A normal in place of Student's t: ${range(one, (tally) => tally.byNormal, studies)} with one task.`,
    `- A t-test over tasks in two stages: ${range(sharing, (tally) => tally.twoStage, studies)} where runs share noise.`,
    `- The delta method for the vertex covers ${range(
      tops,
      (tally) => tally.deltaCovered,
      (tally) => tally.intervals,
    )}, Fieller's ${range(
      tops,
      (tally) => tally.covered,
      (tally) => tally.intervals,
    )}.`,
    `- Sampling errors as known variances, where all cells answer the same items: ${rates(same, ({ known }) => known)} with ` +
      `each score's own, ${rates(same, ({ paired }) => paired!)} with those paired by item, ` +
      `${rates(same, ({ without }) => without)} without.`,
    `- The same, where each cell answers items of its own: ${rates(apart, ({ known }) => known)}, ` +
      `${rates(apart, ({ without }) => without)} without.`,
  ].join("\n");
}

export interface CalibrationFigures {
  /** A line. */
  readonly studies: number;
  readonly seed: number;
  readonly tallies: readonly Tally[];
  readonly sampling: readonly SamplingTally[];
}

/** The section of docs/BENCHMARKS.md. */
export function sectionOf({ studies, seed, tallies, sampling }: CalibrationFigures): string {
  return [
    `${studies} studies a line, seed ${seed}; shares with 95 % intervals (Wilson).`,
    calibrationTables(tallies),
    samplingTable(sampling),
    aimLines(tallies),
    ruleLines(tallies, sampling),
  ].join("\n\n");
}
