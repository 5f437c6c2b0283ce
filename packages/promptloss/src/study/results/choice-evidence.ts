// What a study's cells say to a choice: one score for each cell, at its weight, learning rate and generation ratio. Cells are
// the unit, not tasks: what the tasks of one run share is the run's noise. Pure.
import { counted } from "../../counted.ts";
import { floored, type OwnRun, ownRun, type StudyEvidence, type TaskGroup } from "../../statistics/index.ts";
import { StudyError } from "../errors.ts";
import { groupedBy } from "./grouped.ts";
import type { ResultRow } from "./result-row.ts";
import { benchmarkRows, setAside } from "./scored-rows.ts";

export interface EvidenceQuestion {
  /** Rg that the choice is for. */
  readonly generationRatio: number;
  /** Tasks of this kind alone, where the study has any. */
  readonly taskGroup?: TaskGroup | undefined;
  /** "task" or "task metric"; the metrics that stand for their tasks where left out. */
  readonly objective?: string | undefined;
}

/** Cells whose ratio is farther from the question's say nothing to it. Our choice. */
const FARTHEST_RATIO = 8;
/** Factors that are no blocks: what is chosen, and what makes replicates. */
const VARIED: ReadonlySet<string> = new Set(["plw", "learningRate", "seed"]);

const NOTHING_ASIDE = { aside: new Set<string>(), notes: [] };

/**
 * Benchmarks that say nothing of any weight, as those at chance, are set aside with a note.
 * @throws {StudyError} for an objective that the results do not have
 */
export function studyEvidence(results: readonly ResultRow[], question: EvidenceQuestion): StudyEvidence {
  const { generationRatio, taskGroup, objective } = question;
  const notes: string[] = [];
  const named = objectiveRows(results, objective);
  // An objective that was asked for by name is taken as it is.
  const { aside, notes: said } = objective === undefined ? setAside(named) : NOTHING_ASIDE;
  notes.push(...said);
  const asked = named.filter(({ benchmark }) => !aside.has(benchmark));
  const grouped = asked.filter(({ result }) => result.taskGroup === taskGroup);
  const ofGroup = taskGroup !== undefined && grouped.length > 0 ? grouped : asked;
  if (taskGroup !== undefined && grouped.length === 0 && asked.length > 0)
    notes.push(`the study has no task of ${taskGroup}: all its tasks are used`);
  const near = ofGroup.filter(({ result }) => speaksFor(result, generationRatio));
  const far = new Set(ofGroup.map(({ result }) => result.cell)).size - cellsOf(near).size;
  if (far > 0)
    notes.push(`left out for an Rg more than ${FARTHEST_RATIO} times away: ${counted(far, "cell")}`);

  const benchmarks = [...new Set(near.map(({ benchmark }) => benchmark))];
  const cells = cellsOf(near);
  const whole = [...cells].filter(([, rows]) => rows.length === benchmarks.length);
  if (whole.length < cells.size)
    notes.push(`left out for a missing score: ${counted(cells.size - whole.length, "cell")}`);
  const lost = whole.filter(([, rows]) => rows.some(({ result }) => !Number.isFinite(result.value))).length;
  if (lost > 0) notes.push(`diverged, and as bad as the worst that did not: ${counted(lost, "cell")}`);
  const scores = combined(whole.map(([, rows]) => rows));
  const runs = whole.map(([, [first]], i): OwnRun => {
    const { plw, factors, generationRatio: ratio } = first!.result;
    const rate = Number(factors.learningRate);
    return ownRun(plw, {
      score: scores[i]!,
      block: blockOf(first!.result),
      ...(rate > 0 && { logRate: Math.log10(rate) }),
      logRatio: ratio === null ? 0 : Math.log(ratio / generationRatio),
    });
  });
  const [only] = benchmarks.length === 1 ? near : [];
  return {
    runs: runs.some(({ logRate }) => logRate === undefined)
      ? runs.map(({ logRate: _, ...run }) => run)
      : runs,
    objective:
      only === undefined
        ? `the mean of ${benchmarks.length} ${benchmarks.length === 1 ? "task" : "tasks"}`
        : `${only.result.task} ${only.result.metric}`,
    unit: only === undefined ? "standard deviations of a task's scores" : unitOf(only.result.metric),
    notes,
  };
}

export function unitOf(metric: string): string {
  return /(^|_)loss$/.test(metric) ? "nats" : metric;
}

type Named = ReturnType<typeof benchmarkRows>[number];

function objectiveRows(results: readonly ResultRow[], objective: string | undefined): Named[] {
  if (objective === undefined) return benchmarkRows(results);
  const rows = results.filter(
    ({ task, metric, primary }) => objective === `${task} ${metric}` || (objective === task && primary),
  );
  if (rows.length > 0)
    return rows.map((result) => ({ result, benchmark: `${result.task} ${result.metric}` }));
  const known = [...new Set(results.map(({ task, metric }) => `${task} ${metric}`))];
  throw new StudyError(`the results have no ${JSON.stringify(objective)}`, {
    hint: `they have ${known.join(", ")}`,
  });
}

function speaksFor({ generationRatio: ratio }: ResultRow, wanted: number): boolean {
  return ratio === null || Math.abs(Math.log(ratio / wanted)) <= Math.log(FARTHEST_RATIO);
}

function cellsOf(rows: readonly Named[]): Map<string, Named[]> {
  return groupedBy(rows, ({ result }) => result.cell);
}

/** Levels of all other factors, which have their own intercepts: a model, a data set. */
function blockOf({ factors }: ResultRow): string {
  return Object.entries(factors)
    .filter(([name, value]) => !VARIED.has(name) || (name === "learningRate" && !(Number(value) > 0)))
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

/** Higher is better. One task keeps its units; of several, each is standardized over the cells, then averaged. */
function combined(cells: readonly (readonly Named[])[]): number[] {
  const tasks = cells[0]?.map(({ benchmark }) => benchmark) ?? [];
  const columns = tasks.map((benchmark) =>
    floored(
      cells.map((rows) => {
        const { value, higherIsBetter } = rows.find((row) => row.benchmark === benchmark)!.result;
        return higherIsBetter ? value : -value;
      }),
    ),
  );
  if (columns.length === 1) return columns[0]!;
  const standard = columns.map((scores) => {
    const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
    const sd = Math.sqrt(
      scores.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, scores.length - 1),
    );
    return scores.map((score) => (sd === 0 ? 0 : (score - mean) / sd));
  });
  return cells.map((_, i) => standard.reduce((sum, scores) => sum + scores[i]!, 0) / standard.length);
}
