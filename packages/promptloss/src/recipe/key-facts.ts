// What each key of a recipe affects, said once, where the schema has the key. The fingerprint of a run, the address of a
// study's cell and the words for how two runs differ derive from it.
import { z } from "zod";

export type Effect =
  /** Which rows are read and what their tokens are. */
  | "data"
  /** The weights that a run writes. */
  | "result"
  /** What is measured of a finished run beside its weights. */
  | "measures"
  /** Neither: where things are written, how often, with how many threads. */
  | "nothing";

export interface KeyFacts {
  readonly affects: Effect;
  /** A path: what lies there counts, not where. */
  readonly path?: true;
  /** Of the machine at hand: a study's cell is the same on another. */
  readonly machine?: true;
}

/** Keys that are not in it affect the result. */
export const keyFacts = z.registry<KeyFacts>();

const RESULT: KeyFacts = { affects: "result" };

type Schema = z.core.$ZodType;

/** What of a recipe's keys counts: those whose facts pass. Keys without a value are left out. */
export function partOf(
  value: unknown,
  schema: Schema,
  counts: (facts: KeyFacts) => boolean,
): Record<string, unknown> {
  const part: Record<string, unknown> = {};
  const object = objectIn(schema);
  for (const [key, each] of Object.entries(value as object)) {
    if (each === undefined) continue;
    const inner: Schema | undefined = object?.def.shape[key];
    const facts = inner && keyFacts.get(inner);
    if (inner !== undefined && facts === undefined && objectIn(inner) !== undefined && isPlain(each))
      part[key] = partOf(each, inner, counts);
    else if (counts(facts ?? RESULT)) part[key] = each;
  }
  return part;
}

/** Every key of a schema with its facts, as "training.learningRate"; sections with facts of their own as one. */
export function factsOf(schema: Schema, before = ""): Map<string, KeyFacts> {
  const all = new Map<string, KeyFacts>();
  for (const [key, inner] of Object.entries(objectIn(schema)?.def.shape ?? {})) {
    const path = `${before}${key}`;
    const facts = keyFacts.get(inner);
    if (facts === undefined && objectIn(inner) !== undefined)
      for (const [below, fact] of factsOf(inner, `${path}.`)) all.set(below, fact);
    else all.set(path, facts ?? RESULT);
  }
  return all;
}

/** The object inside defaults and optionals; undefined for all other schemas. */
function objectIn(schema: Schema): z.ZodObject | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return objectIn(schema.def.innerType);
  return schema instanceof z.ZodObject ? schema : undefined;
}

function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
