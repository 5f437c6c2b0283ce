// Which prompt loss weight to use for data of a generation ratio and a kind of task: from the user's own study where it
// covers the question and finds something, otherwise from the paper's facts, always with an interval and the evidence.
import type { QuadraticEffect } from "../effect/quadratic-effect.ts";
import { ExtrapolationError, StatisticsError } from "../errors.ts";
import { short } from "../report/numbers.ts";
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
    /** Where it comes from: an estimate's interval, or a range that a source states. */
    kind: "surface" | "bootstrap" | "delta" | "stated";
    /** Of an estimate's interval. */
    level?: number;
  };
  generationRatio: number;
  taskGroup: TaskGroup | undefined;
  source: "study" | "paper";
  /** Whether a significant finding stands behind the number, at this very generation ratio. */
  significant: boolean;
  /** "study", or the mark of the paper's facts. */
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

function fromStudy(
  ratio: number,
  taskGroup: TaskGroup | undefined,
  study: StudyEvidence,
  notes: string[],
): Recommendation | undefined {
  const base = { generationRatio: ratio, taskGroup, source: "study", significant: true } as const;
  const answer = (plw: number, interval: Recommendation["interval"], sentence: string): Recommendation => ({
    ...base,
    plw,
    interval,
    evidence: [{ mark: "study", text: sentence }, ...notes.map((text) => ({ mark: "study" as const, text }))],
    sentence: `PLW ${short(plw, 3)}: in your study, ${sentence}`,
  });
  for (const { effect } of matching(study.effects ?? [], taskGroup).filter(({ generationRatio: r }) =>
    near(r, ratio),
  )) {
    if (effect.kind === "maximum") {
      const [interval, kind] = effect.bootstrap
        ? [effect.bootstrap.plw, "bootstrap" as const]
        : [effect.plwInterval!, "delta" as const];
      const { lower, upper } = interval;
      return answer(effect.best!.plw, { lower, upper, kind, level: effect.level }, effect.sentence);
    }
    notes.push(effect.sentence);
    if (effect.kind === "monotone") {
      const end = effect.best!.plw;
      const interval = effect.bootstrap?.plw ?? { lower: end, upper: end };
      return answer(
        end,
        {
          lower: interval.lower,
          upper: interval.upper,
          kind: effect.bootstrap ? "bootstrap" : "delta",
          level: effect.level,
        },
        notes.pop()!,
      );
    }
  }
  for (const { surface } of matching(study.surfaces ?? [], taskGroup)) {
    try {
      const best = bestPlwAt(surface, ratio);
      if (best.againstEnds.every(({ p }) => p < 1 - best.level)) {
        return answer(best.plw, { ...best.interval.plw, kind: "surface", level: best.level }, best.sentence);
      }
      notes.push(best.sentence);
    } catch (error) {
      if (!(error instanceof ExtrapolationError)) throw error;
      notes.push(
        `the study's surface covers Rg ${short(error.range[0], 3)} to ${short(error.range[1], 3)} only`,
      );
    }
  }
  return undefined;
}

const near = (a: number, b: number): boolean => Math.abs(Math.log(a / b)) <= Math.log(sameRatio);

/** Entries for the task group first, then those over all tasks. */
function matching<T extends { taskGroup?: TaskGroup }>(
  entries: readonly T[],
  taskGroup: TaskGroup | undefined,
): T[] {
  const own = taskGroup === undefined ? [] : entries.filter((entry) => entry.taskGroup === taskGroup);
  return [...own, ...entries.filter((entry) => entry.taskGroup === undefined)];
}

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
  return {
    plw,
    interval: { lower, upper, kind: "stated" },
    generationRatio: ratio,
    taskGroup,
    source: "paper",
    significant,
    evidence,
    sentence: `PLW ${plw} (${lower} to ${upper}): by the paper, ${verified.join("; ")}.${choices}`,
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
