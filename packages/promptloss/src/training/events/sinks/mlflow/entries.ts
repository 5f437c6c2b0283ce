// A run's recipe and facts as MLflow's params and tags, and its steps as metrics.
import type { Recipe } from "../../../../recipe/index.ts";
import type { EvaluationEvent, StepEvent } from "../../event.ts";
import { scalarsOf } from "../../scalars.ts";
import type { SinkRun } from "../sink.ts";
import { LIMITS, type MlflowEntry, type MlflowMetric } from "./client.ts";

/** Where a run goes says nothing of it. */
const UNSAID: ReadonlySet<string> = new Set(["logging", "output"]);

/** Every key of the recipe by its path, and what was settled for the run. */
export function paramsOf({ recipe, start }: Pick<SinkRun, "recipe" | "start">): MlflowEntry[] {
  const {
    promptLossWeight,
    normalization,
    parameters,
    trainable,
    rows,
    heldOutRows,
    steps,
    precision,
    device,
  } = start;
  const settled = {
    "loss.promptLossWeight": promptLossWeight,
    "loss.normalization": normalization,
    "training.precision": precision,
    "training.device": device,
    ...{ parameters, trainable, rows, heldOutRows, steps },
  };
  return entriesOf({ ...flat(recipe), ...settled });
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

/** Of numbers that were written down without the time: the run's begin and how long it computed. */
export function timed(
  past: readonly (StepEvent | EvaluationEvent)[],
  startedAt: number,
): { readonly event: StepEvent | EvaluationEvent; readonly at: number }[] {
  let at = startedAt;
  return past.map((event) => {
    at += event.seconds * 1000;
    return { event, at };
  });
}

function flat(recipe: Recipe): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  const add = (value: unknown, path: string): void => {
    if (value === undefined) return;
    if (typeof value !== "object" || value === null || Array.isArray(value)) all[path] = value;
    else for (const [key, each] of Object.entries(value)) add(each, path === "" ? key : `${path}.${key}`);
  };
  for (const [key, value] of Object.entries(recipe)) if (!UNSAID.has(key)) add(value, key);
  return all;
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
