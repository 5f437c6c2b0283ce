// Settings as a method section lists them: nested keys by their dotted paths, those that all cells share apart from
// those that differ. Pure.
import type { ReportCell } from "./report-cells.ts";

export interface Setting {
  /** "training.epochs" */
  readonly key: string;
  /** As JSON writes it, strings without quotes. */
  readonly value: string;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** Lists are values, lists of objects count from 1 where they are several; what is not set is left out. */
export function flatSettings(value: unknown, path: readonly string[] = []): Setting[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.some(isObject))
    return value.flatMap((each, i) => flatSettings(each, value.length === 1 ? path : [...path, `${i + 1}`]));
  if (typeof value !== "object" || Array.isArray(value))
    return [{ key: path.join("."), value: typeof value === "string" ? value : JSON.stringify(value) }];
  return Object.entries(value).flatMap(([key, inner]) => flatSettings(inner, [...path, key]));
}

export interface RecipeSettings {
  readonly shared: readonly Setting[];
  /** Keys that cells differ in, in the recipes' order. */
  readonly differing: readonly string[];
}

/** Undefined where no cell's recipe is known. */
export function recipeSettings(cells: readonly ReportCell[]): RecipeSettings | undefined {
  const recipes = cells.flatMap(({ recipe }) => (recipe === undefined ? [] : [flatSettings(recipe)]));
  const [first] = recipes;
  if (first === undefined) return undefined;
  const found = new Map<string, string[]>();
  for (const { key, value } of recipes.flat()) found.set(key, [...(found.get(key) ?? []), value]);
  const isShared = (key: string): boolean => {
    const values = found.get(key)!;
    return values.length === recipes.length && new Set(values).size === 1;
  };
  return {
    shared: first.filter(({ key }) => isShared(key)),
    differing: [...found.keys()].filter((key) => !isShared(key)),
  };
}
