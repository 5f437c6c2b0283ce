// Data sources as a recipe may write them: a path, a source, or a list of either.
import { z } from "zod";

/** @param source the schema of one source that is written out */
export function sourceList<S extends z.ZodType>(source: S) {
  return z.preprocess((value) => {
    if (value === undefined) return undefined;
    return [value].flat().map((each) => (typeof each === "string" ? { path: each } : each));
  }, z.array(source).min(1));
}
