// A study's models as plain JSON data: all of them but the rows and the state that later computations use.
import { fitToJson, type Json, toJson } from "../../statistics/index.ts";
import type { StudyFits } from "./fit-study.ts";

export const fitsToJson = ({ settings, transforms, notes, fits }: StudyFits): Json => {
  const models = fits.map(({ rows, fit, effect, ...rest }) => ({
    ...rest,
    rows: rows.length,
    fit: fit === undefined ? null : fitToJson(fit),
    effect,
  }));
  return toJson({ settings, transforms, notes, models });
};
