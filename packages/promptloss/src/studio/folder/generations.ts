// What a run's model said before and after training: to training prompts (`probes.generations`), and to the items of tasks
// (`probes.forgetting`).
import { statSync } from "node:fs";
import { join } from "node:path";
import { recordsFolder } from "../../evaluation/run/records.ts";
import type { EvaluationRecord } from "../../evaluation/run/types.ts";
import { readPart } from "../../files/part.ts";
import type { GenerationLine } from "../../training/probes/generations.ts";
import type { GenerationRow, GenerationSet } from "../api.ts";
import { entriesOf } from "./entries.ts";
import type { Place } from "./scan.ts";

/** Rows of a set that are shown. */
const MOST = 200;

/** Bytes of a file that are looked at for them. */
const PART = 16 * 1024 * 1024;

/** Bytes that hold a line: enough to see of what kind a file is, which is asked again and again. */
const GLANCE = 256 * 1024;

/** The set of training prompts; those of tasks have the tasks' names. */
const TRAINING = "training prompts";

const sides = ["before", "after"] as const;

/** Names of the sets that a run has. */
export function generationSets({ path }: Place): string[] {
  const tasks = new Set(sides.flatMap((side) => tasksIn(recordsFolder(join(path, "forgetting", side)))));
  // Records of choices and of losses have no text.
  const spoken = [...tasks].filter((task) => recordsOf(path, "after", task, 1, GLANCE).some(hasText));
  return [...(hasContent(join(path, "generations.jsonl")) ? [TRAINING] : []), ...spoken.sort()];
}

/** Undefined where the run has no set of that name. */
export function readGenerations(place: Place, name: string): GenerationSet | undefined {
  if (!generationSets(place).includes(name)) return undefined;
  const rows = name === TRAINING ? trainingRows(place) : taskRows(place, name);
  return { name, rows: rows.slice(0, MOST), cut: rows.length > MOST };
}

function trainingRows({ path }: Place): GenerationRow[] {
  return (firstLines(join(path, "generations.jsonl"), MOST + 1) as GenerationLine[]).map(
    ({ prompt, reference, before, after }) => ({ prompt, reference, before: before ?? null, after }),
  );
}

function taskRows({ path }: Place, task: string): GenerationRow[] {
  const before = new Map(recordsOf(path, "before", task).map((record) => [record.item, record]));
  return recordsOf(path, "after", task).map(({ item, prompts, references, completion }) => ({
    prompt: prompts?.at(-1) ?? "",
    reference: references?.[0] ?? null,
    before: before.get(item)?.completion ?? null,
    after: completion ?? "",
  }));
}

function tasksIn(folder: string): string[] {
  return entriesOf(folder).flatMap(({ name }) =>
    name.endsWith(".jsonl") ? [name.slice(0, -".jsonl".length)] : [],
  );
}

function hasContent(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function hasText({ completion }: EvaluationRecord): boolean {
  return typeof completion === "string";
}

function recordsOf(
  run: string,
  side: (typeof sides)[number],
  task: string,
  most = MOST + 1,
  bytes = PART,
): EvaluationRecord[] {
  const file = join(recordsFolder(join(run, "forgetting", side)), `${task}.jsonl`);
  return firstLines(file, most, bytes) as EvaluationRecord[];
}

/** The first lines of a file of JSON objects, of as many bytes at most; none where there is no such file. */
function firstLines(path: string, most: number, bytes = PART): unknown[] {
  const part = readPart(path, ({ size }) => ({ from: 0, length: Math.min(bytes, size) }));
  const lines = part?.toString("utf8").split("\n", most) ?? [];
  return lines.flatMap((line) => {
    try {
      const found: unknown = JSON.parse(line);
      return typeof found === "object" && found !== null ? [found] : [];
    } catch {
      return [];
    }
  });
}
