// A study as its output folder tells it, without the study file: which cells there are, how far each is, and the scores
// so far.
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { readJson } from "../../files/atomic.ts";
import { groupedBy } from "../../study/results/grouped.ts";
import type { ResultRow, ResultsHeader } from "../../study/results/result-row.ts";
import { readStudyResults, resultsFiles } from "../../study/results/results-file.ts";
import { type ListedCell, readCellList } from "../../study/run/cell-list.ts";
import { type StudyStatus, studyStatus } from "../../study/run/status.ts";
import type { StudyCard, StudyCell, StudyDetail } from "../api.ts";
import type { Place, StudyPlace } from "./scan.ts";

/** Looks at a study again and again. */
export class StudyReader {
  readonly #place: StudyPlace;
  /** Read anew when their files have changed. */
  #results: { readonly stamp: string | null; readonly rows: readonly ResultRow[] } = {
    stamp: null,
    rows: [],
  };

  constructor(place: StudyPlace) {
    this.#place = place;
  }

  card(): StudyCard {
    const { id, name: path } = this.#place;
    const { name, counts, secondsLeft } = statusOf(this.#place, this.#read().rows);
    return { id, path, name, counts, secondsLeft: secondsLeft ?? null };
  }

  detail(): StudyDetail {
    const { id, name: path, runId } = this.#place;
    const { stamp, rows } = this.#read();
    const { name, cells, counts, secondsLeft } = statusOf(this.#place, rows);
    const scores = scoresByCell(rows);
    return {
      ...{ id, path, name, counts, secondsLeft: secondsLeft ?? null },
      factors: [...new Set(cells.flatMap(({ cell }) => Object.keys(cell.levels)))],
      cells: cells.map(
        ({ cell, status, phase, step, steps, loss, attempts, failure }): StudyCell => ({
          ...{
            id: cell.id,
            levels: cell.levels,
            status,
            attempts,
            run: runId(cell.id),
            phase: phase ?? null,
          },
          ...{ step: step ?? null, steps: steps ?? null, loss: loss ?? null },
          failure: failure === undefined ? null : { message: failure.message, hint: failure.hint ?? null },
          scores: scores.get(cell.id) ?? {},
        }),
      ),
      measures: measuresOf(rows),
      results: stamp,
    };
  }

  #read(): { readonly stamp: string | null; readonly rows: readonly ResultRow[] } {
    const stamp = resultsStamp(this.#place.path);
    if (stamp !== this.#results.stamp) {
      const rows = stamp === null ? [] : readStudyResults(this.#place.path).rows;
      this.#results = { stamp, rows };
    }
    return this.#results;
  }
}

/** When the results were last written; null where there are none. */
export function resultsStamp(folder: string): string | null {
  const times = resultsFiles(folder)
    .slice(0, 2)
    .map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs);
  return times.some((time) => time === undefined) ? null : times.join("-");
}

/** @param rows results: cells that have scores are done, wherever they were run */
function statusOf({ path }: Place, rows: readonly ResultRow[]): StudyStatus<ListedCell> {
  const scored = rows.filter(({ value }) => Number.isFinite(value));
  const { study, cells } = readCellList(path);
  return studyStatus({
    name: study ?? readJson<ResultsHeader>(join(path, "study.json"))?.study ?? basename(path),
    output: path,
    kept: { folder: path, cells: groupedBy(scored, ({ cell }) => cell) },
    cells,
    tasks: [],
  });
}

function measureName({ task, metric }: ResultRow): string {
  return `${task}: ${metric}`;
}

function scoresByCell(rows: readonly ResultRow[]): ReadonlyMap<string, Record<string, number | null>> {
  const found = new Map<string, Record<string, number | null>>();
  for (const row of rows) {
    const scores = found.get(row.cell) ?? {};
    scores[measureName(row)] = Number.isFinite(row.value) ? row.value : null;
    found.set(row.cell, scores);
  }
  return found;
}

/** Those that stand for their tasks first. */
function measuresOf(rows: readonly ResultRow[]): StudyDetail["measures"] {
  const all = new Map(rows.map((row) => [measureName(row), row]));
  return [...all]
    .sort(([, a], [, b]) => Number(b.primary) - Number(a.primary))
    .map(([name, { higherIsBetter }]) => ({ name, higherIsBetter }));
}
