// A cell of a study: one combination of levels, its whole recipe, and the hash that it is addressed by. Pure.
import { createHash } from "node:crypto";
import { isAbsolute, relative, resolve } from "node:path";
import { changedAt } from "../../config-file/index.ts";
import { partOf, type Recipe, recipeSchema } from "../../recipe/index.ts";
import type { FactorValue } from "../results/result-row.ts";

export interface Cell {
  /** Twelve hexadecimal digits of the recipe's hash. */
  readonly id: string;
  /** Labels by factor. */
  readonly levels: Readonly<Record<string, FactorValue>>;
  /** Without `output`, which follows from the id. */
  readonly recipe: Recipe;
}

/**
 * The hash of all that decides on a cell's result. Where files lie counts relative to the study file, so that a study
 * may be moved; what is in them does not: a run refuses data that has changed since it began.
 */
export function cellId(recipe: Recipe, studyFolder: string): string {
  const deciding = partOf(recipe, recipeSchema, ({ affects, machine }) => affects !== "nothing" && !machine);
  const placed = JSON.stringify(deciding, (key, value: unknown) =>
    isPath(key) && typeof value === "string" && isAbsolute(value)
      ? relative(studyFolder, value)
      : sorted(value),
  );
  return hashOf(placed).slice(0, 12);
}

const PATH_KEYS: ReadonlySet<string> = new Set(["path", "model", "tokenizer", "reference", "data"]);

/** Places in a list too: task files. */
function isPath(key: string): boolean {
  return PATH_KEYS.has(key) || /^\d+$/.test(key);
}

/**
 * The hash of all that decides on a cell's score in a task: another option is another task. Where files lie counts
 * relative to the study file.
 */
export function taskAddress({ task, options, evaluator }: TaskSettings, studyFolder: string): string {
  const { version, paths = [] } = evaluator;
  const placed = paths.reduce(
    (all, path) => changedAt(all, path.split("."), (text) => relative(studyFolder, resolve(text))),
    options,
  );
  return hashOf(JSON.stringify([task, placed, version], (_key, value: unknown) => sorted(value))).slice(0, 8);
}

interface TaskSettings {
  readonly task: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Its version, and which of its options are paths, dotted. */
  readonly evaluator: { readonly version?: string; readonly paths?: readonly string[] };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Keys in one order, however they were written. */
function sorted(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}
