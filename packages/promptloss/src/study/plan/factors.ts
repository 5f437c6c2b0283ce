// Factors as a study file writes them → named lists of levels, each a label and the recipe keys that it sets. Pure.
import type { FactorValue } from "../results/result-row.ts";
import { PAPER_WEIGHTS, weightsByWp } from "./grids.ts";
import type { FactorSettings, StudySettings } from "./schema.ts";

export interface Level {
  readonly label: FactorValue;
  /** Values by recipe key. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Where it stands in the study file. */
  readonly path: readonly PropertyKey[];
}

export interface Factor {
  /** Of its column in the results. */
  readonly name: string;
  /** As the study file calls it. */
  readonly written: string;
  readonly levels: readonly Level[];
}

const PLW_KEY = "loss.promptLossWeight";

/** The column's name: a recipe key's last part, `plw` for the prompt loss weight. */
function columnOf(written: string): string {
  return written === PLW_KEY ? "plw" : written.slice(written.lastIndexOf(".") + 1);
}

export function factorsOf({ factors }: StudySettings): Factor[] {
  return Object.entries(factors).map(([written, settings]) => ({
    name: columnOf(written),
    written,
    levels: levelsOf(written, settings),
  }));
}

function levelsOf(written: string, settings: FactorSettings): Level[] {
  const base = ["factors", written];
  const weights = (key: string, values: readonly number[]): Level[] =>
    values.map((value) => ({ label: value, set: { [key]: value }, path: base }));
  if (settings === "paper") return weights(keyOf(written), PAPER_WEIGHTS);
  if (!Array.isArray(settings) && "grid" in settings) {
    const key = settings.key ?? keyOf(written);
    return settings.grid === "paper"
      ? weights(key, PAPER_WEIGHTS)
      : weights(key, weightsByWp(settings.points, settings.from, settings.to));
  }
  const [list, key, path] = Array.isArray(settings)
    ? [settings, keyOf(written), base]
    : [settings.levels, settings.key ?? keyOf(written), [...base, "levels"]];
  return list.map((level, i) => {
    const at = [...path, i];
    if (typeof level !== "object") return { label: labelOf(level), set: { [key]: level }, path: at };
    const set = "set" in level ? level.set : { [key]: level.value };
    return { label: level.label, set, path: at };
  });
}

/** `plw` is short for the key itself. */
function keyOf(written: string): string {
  return written === "plw" ? PLW_KEY : written;
}

function labelOf(value: string | number | boolean): FactorValue {
  return typeof value === "boolean" ? String(value) : value;
}
