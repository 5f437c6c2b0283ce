// Which prompt loss weight to use for data of a generation ratio and a kind of task: from the user's own study where it
// covers the question and finds something, otherwise from the paper's facts, always with an interval and the evidence.
import type { QuadraticEffect } from "../effect/quadratic-effect.ts";
import { StatisticsError } from "../errors.ts";
import { trimmed } from "../report/numbers.ts";
import { bestPlwAt } from "../surface/best.ts";
import type { ResponseSurface } from "../surface/surface.ts";
import { criticalPlw, type Fact, facts, measuredRatios, openRange, shortBelow } from "./paper-facts.ts";

export type TaskGroup = "multiple-choice" | "short-generation" | "long-generation";

export const taskGroups: readonly TaskGroup[] = ["multiple-choice", "short-generation", "long-generation"];

/** What the user's own study found. An entry without a task group is over all tasks. */
export interface StudyEvidence {
  surfaces?: readonly { taskGroup?: TaskGroup; surface: ResponseSurface }[];
  effects?: readonly { generationRatio: number; taskGroup?: TaskGroup; effect: QuadraticEffect }[];
}

export interface RecommendOptions {
  /** Left out: over all tasks, which the paper's fit is, too. */
  taskGroup?: TaskGroup;
  study?: StudyEvidence;
}

export interface Recommendation {
  plw: number;
  interval: {
    lower: number;
    upper: number;
    /** Where it comes from: an estimate's interval, a range that a source states, or the end of the range tried. */
    kind: "surface" | "bootstrap" | "delta" | "stated" | "end";
    /** Of an estimate's interval. */
    level?: number;
  };
  generationRatio: number;
  taskGroup: TaskGroup | undefined;
  source: "study" | "paper";
  /** Whether a significant finding stands behind the number, at this very generation ratio. */
  significant: boolean;
  /** "study", or the mark of a paper's fact. */
  evidence: { mark: "study" | Fact["mark"]; text: string }[];
  /** The recommendation and its ground in a sentence. */
  sentence: string;
}

/** Studies of one ratio answer for ratios within this factor of it. */
const sameRatio = 1.25;

/** Throws StatisticsError for a ratio that is not positive. */
export function recommend(generationRatio: number, options: RecommendOptions = {}): Recommendation {
  const { taskGroup, study } = options;
  if (!(generationRatio > 0 && Number.isFinite(generationRatio))) {
    throw new StatisticsError(`the generation ratio must be a positive number, not ${generationRatio}`, {
      hint: "it is mean completion tokens over mean prompt tokens",
    });
  }
  if (taskGroup !== undefined && !taskGroups.includes(taskGroup)) {
    throw new StatisticsError(`unknown task group ${JSON.stringify(taskGroup)}`, {
      hint: `use ${taskGroups.join(", ")}`,
    });
  }
  const notes: string[] = [];
  const own = study && fromStudy(generationRatio, taskGroup, study, notes);
  return own ?? fromPaper(generationRatio, taskGroup, notes);
}

type Found = Pick<Recommendation, "plw" | "interval"> & { finding: string };

function fromStudy(
  ratio: number,
  taskGroup: TaskGroup | undefined,
  study: StudyEvidence,
  notes: string[],
): Recommendation | undefined {
  // What concerns the task group first, then what is over all tasks.
  const scopes = taskGroup === undefined ? [undefined] : [taskGroup, undefined];
  for (const scope of scopes) {
    const effects = (study.effects ?? []).filter((entry) => entry.taskGroup === scope);
    const surfaces = (study.surfaces ?? []).filter((entry) => entry.taskGroup === scope);
    const found = fromEffects(ratio, effects, notes) ?? fromSurfaces(ratio, surfaces, notes);
    if (found === undefined) continue;
    const { plw, interval, finding } = found;
    return {
      plw,
      interval,
      generationRatio: ratio,
      taskGroup,
      source: "study",
      significant: true,
      evidence: [finding, ...notes].map((text) => ({ mark: "study", text })),
      sentence: `PLW ${trimmed(plw)}: in your study, ${finding}`,
    };
  }
  return undefined;
}

function fromEffects(
  ratio: number,
  effects: NonNullable<StudyEvidence["effects"]>,
  notes: string[],
): Found | undefined {
  for (const { effect, generationRatio } of effects) {
    if (!near(generationRatio, ratio)) {
      notes.push(
        `the study's model at Rg ${trimmed(generationRatio)} does not speak for Rg ${trimmed(ratio)}`,
      );
      continue;
    }
    const { kind, best, plwInterval, bootstrap, level, sentence } = effect;
    if (best === undefined || kind === "none" || kind === "minimum") {
      notes.push(sentence);
      continue;
    }
    const estimated = bootstrap?.plw ?? plwInterval;
    const interval: Recommendation["interval"] =
      estimated === undefined
        ? { lower: best.plw, upper: best.plw, kind: "end" }
        : { lower: estimated.lower, upper: estimated.upper, kind: bootstrap ? "bootstrap" : "delta", level };
    return { plw: best.plw, interval, finding: sentence };
  }
  return undefined;
}

function fromSurfaces(
  ratio: number,
  surfaces: NonNullable<StudyEvidence["surfaces"]>,
  notes: string[],
): Found | undefined {
  for (const { surface } of surfaces) {
    const [low, high] = surface.range.rg;
    if (ratio < low || ratio > high) {
      notes.push(`the study's surface covers Rg ${trimmed(low)} to ${trimmed(high)} only`);
      continue;
    }
    const { plw, interval, level, againstEnds, sentence } = bestPlwAt(surface, ratio);
    if (againstEnds.every(({ p }) => p < 1 - level)) {
      return { plw, interval: { ...interval.plw, kind: "surface", level }, finding: sentence };
    }
    notes.push(sentence);
  }
  return undefined;
}

const near = (a: number, b: number): boolean => Math.abs(Math.log(a / b)) <= Math.log(sameRatio);

function fromPaper(
  ratio: number,
  taskGroup: TaskGroup | undefined,
  notes: readonly string[],
): Recommendation {
  const { plw, lower, upper, ground } = paperChoice(ratio, taskGroup);
  const reach: Fact[] = [];
  if (ratio < shortBelow && !near(ratio, measuredRatios.short)) reach.push(facts.between);
  if (ratio >= openRange[0] && ratio <= openRange[1]) reach.push(facts.open);
  const evidence = [
    ...notes.map((text) => ({ mark: "study" as const, text })),
    ...[...ground, ...reach].map(({ mark, text }) => ({ mark, text })),
  ];
  const significant = near(ratio, measuredRatios.short) && ground.every(({ mark }) => mark !== "O");
  const verified = ground.filter(({ mark }) => mark === "V").map(({ text }) => text);
  const chosen = [...ground, ...reach].filter(({ mark }) => mark === "O").map(({ text }) => text);
  const choices = chosen.length === 0 ? "" : ` Beyond the paper: ${chosen.join("; ")}.`;
  const unsettled = notes.length === 0 ? "" : "your study does not settle it; ";
  return {
    plw,
    interval: { lower, upper, kind: "stated" },
    generationRatio: ratio,
    taskGroup,
    source: "paper",
    significant,
    evidence,
    sentence: `PLW ${plw} (${lower} to ${upper}): ${unsettled}by the paper, ${verified.join("; ")}.${choices}`,
  };
}

interface PaperChoice {
  plw: number;
  lower: number;
  upper: number;
  ground: Fact[];
}

function paperChoice(ratio: number, taskGroup: TaskGroup | undefined): PaperChoice {
  if (ratio >= shortBelow) {
    return { plw: 0.1, lower: 0, upper: 1, ground: [facts.longData, facts.smallForLongData, facts.followUp] };
  }
  if (taskGroup === "long-generation") {
    return { plw: 1, lower: 0.5, upper: 1, ground: [facts.nearOneIsBest, facts.nearOneRange] };
  }
  return { plw: criticalPlw, lower: 0.01, upper: 0.5, ground: [facts.critical, facts.smallIsBest] };
}
