// What a study will take: tokens, time and disk of every cell and in all. What can't be known here says why.
import type { Cell } from "./cell.ts";
import { designAdvice } from "./design-advice.ts";
import { DataMeter, measureModel } from "./measure.ts";
import { missingFiles } from "./missing.ts";
import type { Study } from "./read-study.ts";

export interface CellPlan {
  readonly cell: Cell;
  /** Undefined where data or model are not at hand. */
  readonly tokens: number | undefined;
  readonly steps: number | undefined;
  /** Rows that are trained on. */
  readonly rows: number | undefined;
  readonly heldOutRows: number | undefined;
  readonly trainable: number | undefined;
  readonly generationRatio: number | undefined;
  readonly seconds: number | undefined;
  /** That train together. */
  readonly processes: number;
  /** Of the finished cell. */
  readonly bytes: number | undefined;
  readonly peakBytes: number | undefined;
}

export interface StudyPlan {
  readonly cells: readonly CellPlan[];
  /** Over all cells; undefined where a cell's is. Time is that of one cell after the other. */
  readonly totals: {
    readonly tokens: number | undefined;
    readonly seconds: number | undefined;
    readonly bytes: number | undefined;
    /** On disk at once: finished cells, and as many in training as run at a time. */
    readonly peakBytes: number | undefined;
  };
  /** What the design cannot answer. */
  readonly advice: readonly string[];
  /** What is missing, left out, or could not be found out, and why. */
  readonly notes: readonly string[];
}

export interface PlanOptions {
  /** Tokens a second of a recipe's model, as finished cells measured them. */
  readonly speed?: (cell: Cell) => number | undefined;
  /** Where token caches are kept; the user's cache folder when left out. */
  readonly cache?: string;
}

/**
 * Reads data and the models' configs; trains nothing.
 * @example
 * ```ts
 * import { planStudy, readStudy } from "promptloss";
 *
 * const { cells } = await planStudy(readStudy("study.yaml"));
 * console.log(`${cells.length} cells`);
 * ```
 */
export async function planStudy(study: Study, options: PlanOptions = {}): Promise<StudyPlan> {
  const { speed = () => undefined, cache } = options;
  const { keep, tokensPerSecond, concurrency } = study.settings;
  const meter = new DataMeter(cache);
  const notes = new Set(missingFiles(study));
  const cells: CellPlan[] = [];
  for (const cell of study.cells) {
    const data = await attempt(() => meter.measure(cell.recipe), notes);
    const model = await attempt(async () => measureModel(cell.recipe), notes);
    for (const note of [...(data?.notes ?? []), ...(model?.notes ?? [])]) notes.add(note);
    const rate = speed(cell) ?? tokensPerSecond;
    if (data !== undefined && rate === undefined)
      notes.add(
        "time: unknown until a cell has run; --measure tries a few steps, tokensPerSecond is a guess of yours",
      );
    const bytes = model && { all: model.peakBytes, model: model.modelBytes, scores: 0 }[keep];
    cells.push({
      cell,
      tokens: data?.tokens,
      steps: data?.steps,
      rows: data?.rows,
      heldOutRows: data?.heldOutRows,
      trainable: model?.trainable,
      generationRatio: data?.generationRatio,
      seconds: data && rate && data.tokens / rate,
      processes: cell.recipe.training.processes ?? 1,
      bytes,
      peakBytes: model?.peakBytes,
    });
  }
  const sum = (of: (plan: CellPlan) => number | undefined): number | undefined =>
    cells.reduce<number | undefined>((total, each) => {
      const value = of(each);
      return total === undefined || value === undefined ? undefined : total + value;
    }, 0);
  const bytes = sum((each) => each.bytes);
  const largest = Math.max(...cells.map((each) => (each.peakBytes ?? 0) - (each.bytes ?? 0)));
  return {
    cells,
    totals: {
      tokens: sum((each) => each.tokens),
      seconds: sum((each) => each.seconds),
      bytes,
      peakBytes: bytes === undefined ? undefined : bytes + Math.min(concurrency, cells.length) * largest,
    },
    advice: designAdvice(study),
    notes: [...notes],
  };
}

/** What went wrong becomes a note: a plan is worth having without it. */
async function attempt<T>(measure: () => Promise<T>, notes: Set<string>): Promise<T | undefined> {
  try {
    return await measure();
  } catch (error) {
    notes.add((error as Error).message);
    return undefined;
  }
}
