// A fit as plain JSON data: all of it but the state that later computations use. Numbers that are not finite are null.
import type { MixedModelFit } from "../mixed/fit.ts";
import type { ResponseSurface } from "../surface/surface.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What `--json` prints of a fit. */
export function fitToJson(fit: MixedModelFit): Json {
  const { state: _, ...data } = fit;
  return toJson(data);
}

/** A surface's figures; its values come from surfaceAt. */
export function surfaceToJson(surface: ResponseSurface): Json {
  const { state: _, ...data } = surface;
  return toJson(data);
}

/** Any plain data, with non-finite numbers and undefined as null. */
export function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
}
