// cells.json: which cells a study has, written when it is launched. Whoever has the output folder alone knows from it how
// much is still to come, and which cells of an earlier study file count no more.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeJson } from "../../files/atomic.ts";
import type { Cell } from "../plan/cell.ts";
import type { Study } from "../plan/read-study.ts";

export type ListedCell = Pick<Cell, "id" | "levels">;

export interface CellList {
  /** The study's name; undefined where the folder does not say. */
  readonly study: string | undefined;
  readonly cells: readonly ListedCell[];
}

export function writeCellList({ name, output, cells }: Pick<Study, "name" | "output" | "cells">): void {
  const list: CellList = { study: name, cells: cells.map(({ id, levels }) => ({ id, levels })) };
  writeJson(join(output, "cells.json"), list);
}

/** The cells of a study's last launch; of a folder without that list those whose folders are there. */
export function readCellList(output: string): CellList {
  const { study, cells } = readJson<Partial<CellList> | null>(join(output, "cells.json")) ?? {};
  if (Array.isArray(cells))
    return { study: typeof study === "string" ? study : undefined, cells: cells.filter(isCell) };
  const root = join(output, "cells");
  return {
    study: undefined,
    cells: idsIn(root).flatMap((id) => {
      const cell = readJson<unknown>(join(root, id, "cell.json"));
      return isCell(cell) ? [cell] : [];
    }),
  };
}

function idsIn(root: string): string[] {
  try {
    return readdirSync(root).sort();
  } catch {
    return [];
  }
}

/** Ids are names of folders. */
function isCell(found: unknown): found is ListedCell {
  const { id, levels } = (found ?? {}) as Partial<ListedCell>;
  return (
    typeof id === "string" && /^[\w-]+(\.[\w-]+)*$/.test(id) && typeof levels === "object" && levels !== null
  );
}
