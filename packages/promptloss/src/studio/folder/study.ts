// A study as its output folder tells it, without the study file: which cells there are, and how far each is.
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { readJson } from "../../files/atomic.ts";
import type { Cell } from "../../study/plan/cell.ts";
import type { ResultsHeader } from "../../study/results/result-row.ts";
import { type StudyStatus, studyStatus } from "../../study/run/status.ts";
import type { StudyCard } from "../api.ts";
import type { Place } from "./scan.ts";

export function readStudyCard(place: Place): StudyCard {
  const { name, counts, secondsLeft } = statusOf(place);
  return { id: place.id, name, counts, secondsLeft: secondsLeft ?? null };
}

export function statusOf({ path }: Place): StudyStatus {
  const header = readJson<ResultsHeader>(join(path, "study.json"));
  return studyStatus({
    name: header?.study ?? basename(path),
    output: path,
    kept: undefined,
    cells: cellsOf(path),
    tasks: [],
  });
}

/** Those of the study's last launch, or else those whose folders are there. */
function cellsOf(path: string): Cell[] {
  const root = join(path, "cells");
  const ids = existsSync(root) ? readdirSync(root).sort() : [];
  return ids.flatMap((id) => readJson<Cell>(join(root, id, "cell.json")) ?? []);
}
