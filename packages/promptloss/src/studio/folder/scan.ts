// Which runs and studies lie below a folder. An id is a hash of the path from there: clients name things by ids alone, so
// that no path of theirs is ever opened.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { below, entriesOf, foldersAmong } from "./entries.ts";

export interface Place {
  readonly id: string;
  /** The path below the studio's folder, with slashes; the folder's own name for itself. */
  readonly name: string;
  readonly path: string;
}

export interface StudyPlace extends Place {
  /** The id of a cell's run, whether it has begun or not. */
  readonly runId: (cell: string) => string;
}

export interface RunPlace extends Place {
  /** The study that it is a cell of. */
  readonly study: string | undefined;
}

export interface Scan {
  readonly runs: ReadonlyMap<string, RunPlace>;
  readonly studies: ReadonlyMap<string, StudyPlace>;
  /** Whether folders were left out because there are too many. */
  readonly cut: boolean;
}

/** Folders that one scan looks into: studies of a thousand cells, and no whole disk. */
const MOST_FOLDERS = 20_000;

const DEEPEST = 8;

/** Twelve hexadecimal digits. */
export function idOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 12);
}

export function scanFolder(root: string): Scan {
  const runs = new Map<string, RunPlace>();
  const studies = new Map<string, StudyPlace>();
  let left = MOST_FOLDERS;
  let cut = false;
  const visit = (path: string, name: string, depth: number, study: string | undefined): void => {
    if (left-- <= 0) {
      cut = true;
      return;
    }
    const entries = entriesOf(path);
    const has = (entry: string): boolean => entries.some((each) => each.name === entry);
    const place = { id: idOf(name), name: name === "" ? basename(resolve(root)) : name, path };
    if (has("manifest.json") && (has("metrics.jsonl") || has("checkpoints") || has("model"))) {
      runs.set(place.id, { ...place, study });
      return;
    }
    const isStudy = has("cells") && (has("study.json") || has("cells.json") || hasCells(path));
    if (isStudy) studies.set(place.id, { ...place, runId: (cell) => idOf(below(name, `cells/${cell}/run`)) });
    if (depth >= DEEPEST) return;
    for (const each of foldersAmong(entries))
      visit(join(path, each), below(name, each), depth + 1, isStudy && each === "cells" ? place.id : study);
  };
  visit(root, "", 0, undefined);
  return { runs, studies, cut };
}

function hasCells(path: string): boolean {
  const cells = join(path, "cells");
  return entriesOf(cells).some(({ name }) => existsSync(join(cells, name, "cell.json")));
}
