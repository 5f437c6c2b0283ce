// Which runs and studies lie below a folder. An id is a hash of the path from there: clients name things by ids alone, so
// that no path of theirs is ever opened.
import { createHash } from "node:crypto";
import { type Dirent, existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";

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

/** Follows no links, and looks into no folder whose name begins with a dot. */
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
    for (const entry of entries)
      if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
        visit(
          join(path, entry.name),
          below(name, entry.name),
          depth + 1,
          isStudy && entry.name === "cells" ? place.id : study,
        );
  };
  visit(root, "", 0, undefined);
  return { runs, studies, cut };
}

function below(name: string, path: string): string {
  return name === "" ? path : `${name}/${path}`;
}

/** None for a folder that is gone, or that may not be read. */
function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function hasCells(path: string): boolean {
  const cells = join(path, "cells");
  return entriesOf(cells).some(({ name }) => existsSync(join(cells, name, "cell.json")));
}
