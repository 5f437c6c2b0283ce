// What became of a study's cells, read from its folder: states, failures, and what the runs say of seeds and versions.
// A folder that holds results alone has no cells to tell of.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../../files/atomic.ts";
import type { FactorValue } from "../../study/results/result-row.ts";
import type { CellFailure, CellState } from "../../study/run/cell-place.ts";
import type { Manifest } from "../../training/manifest.ts";

export interface ReportCell {
  readonly id: string;
  readonly levels: Readonly<Record<string, FactorValue>>;
  /** Undefined where the cell was never begun. */
  readonly state: CellState["state"] | undefined;
  readonly attempts: number;
  readonly failure: CellFailure | undefined;
  readonly run: RunFacts | undefined;
  /** With every default; undefined where the folder does not say. */
  readonly recipe?: object | undefined;
}

/** The part of a run's manifest that a reader needs to trust and repeat it. */
export type RunFacts = Pick<
  Manifest,
  | "promptloss"
  | "node"
  | "libtorch"
  | "platform"
  | "processor"
  | "device"
  | "precision"
  | "normalization"
  | "reduceOver"
  | "seed"
  | "notes"
  | "dataHash"
  | "modelHash"
  | "fingerprint"
  | "rows"
  | "heldOutRows"
  | "steps"
  | "end"
>;

/**
 * @param folder the study's output
 * @param planned cells of the study, where its file is known; others that lie in the folder are of no concern then
 */
export function readReportCells(
  folder: string,
  planned?: readonly Pick<ReportCell, "id" | "levels" | "recipe">[],
): ReportCell[] {
  const root = join(folder, "cells");
  const ids = planned?.map(({ id }) => id) ?? (existsSync(root) ? readdirSync(root).sort() : []);
  return ids.flatMap((id, i) => {
    const path = join(root, id);
    const written = readJson<ReportCell>(join(path, "cell.json"));
    const { levels, recipe } = { ...written, ...planned?.[i] };
    if (levels === undefined) return [];
    const state = readJson<CellState>(join(path, "state.json"));
    const run = readJson<Manifest>(join(path, "run", "manifest.json"));
    return [
      {
        ...{ id, levels, recipe, run },
        ...{ state: state?.state, attempts: state?.attempts ?? 0, failure: state?.failure },
      },
    ];
  });
}
