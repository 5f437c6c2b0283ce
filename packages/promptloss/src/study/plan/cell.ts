// A cell of a study: one combination of levels, its whole recipe, and the hash that it is addressed by. Pure.
import { createHash } from "node:crypto";
import { isAbsolute, relative } from "node:path";
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
  return createHash("sha256").update(placed).digest("hex").slice(0, 12);
}

function isPath(key: string): boolean {
  return key === "path" || key === "model" || key === "tokenizer";
}

/** Keys in one order, however they were written. */
function sorted(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
}
