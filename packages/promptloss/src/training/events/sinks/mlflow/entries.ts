// A run's recipe and facts as MLflow's params and tags, and its steps as metrics.
import { leavesOf } from "../../../../json-object.ts";
import type { EvaluationEvent, StepEvent } from "../../event.ts";
import { scalarsOf } from "../../scalars.ts";
import { settledRecipe } from "../settled-recipe.ts";
import type { SinkRun } from "../sink.ts";
import { LIMITS, type MlflowEntry, type MlflowMetric } from "./client.ts";

/** Every key of the recipe by its path, and what was settled for the run. */
export function paramsOf(run: Pick<SinkRun, "recipe" | "start">): MlflowEntry[] {
  return entriesOf(Object.fromEntries(leavesOf(settledRecipe(run))));
}

/** Of one value each, under names and at lengths that MLflow takes. */
export function entriesOf(values: Readonly<Record<string, unknown>>): MlflowEntry[] {
  const entries = Object.entries(values).map(([key, value]) => [nameOf(key), textOf(value)] as const);
  return [...new Map(entries)].map(([key, value]) => ({ key, value }));
}

/** @param at ms since 1970 */
export function metricsOf(event: StepEvent | EvaluationEvent, at: number): MlflowMetric[] {
  return Object.entries(scalarsOf(event)).flatMap(([key, value]) =>
    Number.isFinite(value) ? [{ key, value, timestamp: Math.round(at), step: event.step }] : [],
  );
}

/** MLflow takes letters, digits and these, and no name that a folder could not have. */
function nameOf(key: string): string {
  return key
    .replaceAll(/[^\w.\- /]/g, "_")
    .replaceAll(/\/+/g, "_")
    .slice(0, LIMITS.key);
}

function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LIMITS.value ? `${text.slice(0, LIMITS.value - 1)}…` : text;
}
