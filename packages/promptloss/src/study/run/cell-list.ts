// cells.json: which cells a study has, written when it is launched. Whoever has the output folder alone knows from it how
// much is still to come, and which cells of an earlier study file count no more.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeJson } from "../../files/atomic.ts";
import type { Cell } from "../plan/cell.ts";
import type { Study } from "../plan/read-study.ts";

export type ListedCell = Pick<Cell, "id" | "levels">;

export function writeCellList({ output, cells }: Pick<Study, "output" | "cells">): void {
  writeJson(
    join(output, "cells.json"),
    cells.map(({ id, levels }): ListedCell => ({ id, levels })),
  );
}

/** The cells of a study's last launch; of a folder without that list those whose folders are there. */
export function readCellList(output: string): ListedCell[] {
  const listed = readJson<unknown>(join(output, "cells.json"));
  if (Array.isArray(listed)) return listed.filter(isCell);
  const root = join(output, "cells");
  return idsIn(root).flatMap((id) => {
    const cell = readJson<unknown>(join(root, id, "cell.json"));
    return isCell(cell) ? [cell] : [];
  });
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
