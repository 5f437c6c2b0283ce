// Scores and probes of all finished cells → the study's tidy table.
import { join } from "node:path";
import { makeFolder, readJson } from "../../files/atomic.ts";
import { wpOfPlw } from "../../statistics/effect/plw.ts";
import type { Probes } from "../../training/probes/index.ts";
import type { TaskScore } from "../evaluate/index.ts";
import type { Cell } from "../plan/cell.ts";
import type { Study, StudyTask } from "../plan/read-study.ts";
import type { ResultRow } from "../results/result-row.ts";
import { type StudyResults, writeStudyResults } from "../results/results-file.ts";
import { CellFolder } from "./cell-folder.ts";
import { withPairedErrors } from "./paired-errors.ts";

/** What the training of a cell that diverged fails with. */
const DIVERGED: ReadonlySet<string> = new Set(["DivergenceError", "NonFiniteLossError"]);

/**
 * Results of the cells that are done, in the study's order; then of those whose training diverged, which have a value
 * that is no number for all that the others were scored on.
 */
export function collectResults(study: Study): StudyResults {
  const done = study.cells.flatMap((cell) => {
    const folder = new CellFolder(study, cell);
    const { state, manifest, kept } = folder;
    if (kept !== undefined && !folder.finishedHere) return keptRows(study, cell, kept);
    if (state?.state !== "done" || manifest === undefined) return [];
    const plw = manifest.promptLossWeight;
    const probes = probesOf(readJson<Probes>(join(folder.run, "probes.json")));
    const common = {
      study: study.name,
      cell: cell.id,
      factors: cell.levels,
      plw,
      wp: wpOfPlw(plw),
      generationRatio: state.generationRatio ?? null,
      precision: manifest.precision,
    };
    return study.tasks.flatMap((task) =>
      (folder.scores(task) ?? []).map(
        (score): ResultRow => ({ ...common, ...valuesOf(task, score), probes }),
      ),
    );
  });
  const rows = [...done, ...divergedRows(study, done)];
  const { name, factors, settings } = study;
  const measured = new Set(rows.flatMap(({ probes }) => Object.keys(probes)));
  return {
    study: name,
    factors: factors.map((factor) => factor.name),
    probes: [...measured],
    cells: study.cells.length,
    tasks: study.tasks.map(({ task, options, address }) => ({ task, options, address })),
    analysis: settings.analysis,
    rows: rows.map((row) => ({ ...row, probes: complete(row.probes, measured) })),
  };
}

/**
 * Collects and writes; again where another launcher finished a cell meanwhile, so that the last word has all.
 * @param paired pair scores by item where the analysis takes sampling errors for known, which reads all records. Default
 * true
 */
export function writeResults(study: Study, { paired = true } = {}): StudyResults {
  const isPaired = paired && study.settings.analysis.samplingError === "known";
  for (;;) {
    const collected = collectResults(study);
    const results = isPaired ? withPairedErrors(collected, study.output) : collected;
    if (study.kept !== undefined) makeFolder(study.kept.folder);
    writeStudyResults(study.output, results, study.kept?.folder);
    if (collectResults(study).rows.length === results.rows.length) return results;
  }
}

/** Rows of before, under the names that factors, groups and metrics have now. */
function keptRows(study: Study, cell: Cell, rows: readonly ResultRow[]): ResultRow[] {
  return study.tasks.flatMap(({ task, group, metric }) =>
    rows
      .filter((row) => row.task === task)
      .map((row) => ({
        ...row,
        ...{ study: study.name, factors: cell.levels, taskGroup: group ?? null },
        primary: metric === undefined ? row.primary : row.metric === metric,
      })),
  );
}

function divergedRows(study: Study, done: readonly ResultRow[]): ResultRow[] {
  const scored = [...new Map(done.map((row) => [JSON.stringify([row.task, row.metric]), row])).values()];
  return study.cells.flatMap((cell) => {
    const { state, manifest, kept } = new CellFolder(study, cell);
    if (
      kept !== undefined ||
      state?.state !== "failed" ||
      !DIVERGED.has(state.failure?.name ?? "") ||
      manifest === undefined
    )
      return [];
    const plw = manifest.promptLossWeight;
    // Of the same data: of a cell that differs in its weight and seed alone.
    const sibling = done.find(({ factors }) =>
      Object.entries(cell.levels).every(
        ([name, level]) => name === "plw" || name === "seed" || factors[name] === level,
      ),
    );
    if (sibling === undefined) return [];
    const { generationRatio } = sibling;
    const own = {
      ...{ cell: cell.id, factors: cell.levels, plw, wp: wpOfPlw(plw) },
      ...{
        generationRatio,
        precision: manifest.precision,
        value: Number.NaN,
        standardError: null,
        pairedError: null,
        items: null,
      },
      probes: {},
    };
    return scored.map((row): ResultRow => ({ ...row, ...own }));
  });
}

function valuesOf(
  { task, group, metric }: StudyTask,
  score: TaskScore,
): Pick<
  ResultRow,
  | "task"
  | "taskGroup"
  | "metric"
  | "value"
  | "standardError"
  | "pairedError"
  | "items"
  | "chance"
  | "higherIsBetter"
  | "primary"
> {
  return {
    task,
    taskGroup: group ?? null,
    metric: score.metric,
    value: score.value,
    standardError: score.standardError ?? null,
    pairedError: null,
    items: score.items ?? null,
    chance: score.chance ?? null,
    higherIsBetter: score.higherIsBetter,
    primary: metric === undefined ? score.primary : score.metric === metric,
  };
}

/** The mechanisms that the paper reads against PLW, by name; without those that a run has not measured. */
function probesOf(probes: Probes | undefined): Record<string, number> {
  if (probes === undefined) return {};
  const { trainingLoss, generalization, distance, generations, forgetting = [] } = probes;
  const all = {
    loss_mean: trainingLoss?.mean,
    loss_rstd: trainingLoss?.relativeSd,
    loss_rstd_detrended: trainingLoss?.relativeDetrendedSd,
    gap_prompt: generalization?.gap.prompt,
    gap_content: generalization?.gap.content,
    gap_end: generalization?.gap.end,
    distance_l1: distance.all.l1,
    distance_l2: distance.all.l2,
    distance_cosine: distance.all.cosine,
    memorization_bleu: generations?.bleu,
    generation_length: generations?.length.mean,
    reference_length: generations?.referenceLength.mean,
    generation_stopped: generations?.stopped,
    ...Object.fromEntries(
      forgetting.map(({ task, metric, forgotten }) => [`forgetting_${task}_${metric}`, forgotten]),
    ),
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function complete(
  probes: Readonly<Record<string, number | null>>,
  names: ReadonlySet<string>,
): Record<string, number | null> {
  return Object.fromEntries([...names].map((name) => [name, probes[name] ?? null]));
}
