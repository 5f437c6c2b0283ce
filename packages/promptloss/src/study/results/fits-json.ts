// A study's models as plain JSON data: all of them but the rows and the state that later computations use.
import { fitToJson, type Json, toJson } from "../../statistics/index.ts";
import type { StudyFits } from "./fit-study.ts";

export function fitsToJson({
  settings,
  notes,
  fits,
  benchmarks,
  interactions,
  surfaces,
  tested,
  atChance,
}: StudyFits): Json {
  const models = [...fits, ...benchmarks].map(({ rows, fit, effect, ...rest }) => ({
    ...rest,
    rows: rows.length,
    fit: fit === undefined ? null : fitToJson(fit),
    effect,
  }));
  const overRatios = surfaces.map(({ taskGroup, finding }) => ({ taskGroup, finding }));
  return toJson({ settings, notes, tested, atChance, models, interactions, overRatios });
}
