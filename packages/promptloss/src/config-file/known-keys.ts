// The keys that a part of a file may have, read off its schema, so that a wrong one gets the nearest right one.
import { distance } from "fastest-levenshtein";
import { z } from "zod";

type Schema = z.core.$ZodType;

/** The schemas inside defaults, optionals, preprocessing, lists and unions. */
function inner(schema: Schema): Schema[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  )
    return inner(schema.def.innerType);
  if (schema instanceof z.ZodPipe) return inner(schema.def.out);
  if (schema instanceof z.ZodArray) return inner(schema.def.element);
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap(inner);
  return [schema];
}

/** The keys at a path of a schema; none where anything goes. */
export function knownKeys(path: readonly PropertyKey[], root: Schema): string[] {
  let schemas = inner(root);
  for (const key of path) {
    if (typeof key === "number") continue;
    schemas = schemas.flatMap((schema) => {
      if (schema instanceof z.ZodRecord) return inner(schema.def.valueType);
      if (!(schema instanceof z.ZodObject)) return [];
      const next: Schema | undefined = Object.hasOwn(schema.def.shape, key)
        ? schema.def.shape[String(key)]
        : undefined;
      return next === undefined ? [] : inner(next);
    });
  }
  const keys = schemas.flatMap((schema) => {
    if (schema instanceof z.ZodRecord && schema.def.keyType instanceof z.ZodEnum)
      return Object.values(schema.def.keyType.enum).map(String);
    return schema instanceof z.ZodObject ? Object.keys(schema.def.shape) : [];
  });
  return [...new Set(keys)];
}

/** Longer keys are no slips of the finger. */
const LONGEST = 64;

/** The share of letters that a slip changes, as two of five that change places; what differs more is another word. */
const SLIP = 0.4;

/**
 * The key that was probably meant by a wrong one: the one beside it that is spelled nearly so, or the one of this very name
 * in another place, with its path. Undefined where there is neither.
 */
export function nearestKey(path: readonly PropertyKey[], key: string, root: Schema): string | undefined {
  if (key.length > LONGEST) return undefined;
  const most = Math.max(1, Math.floor(key.length * SLIP));
  const near = knownKeys(path, root)
    .map((known) => ({ known, away: distance(known.toLowerCase(), key.toLowerCase()) }))
    .filter(({ away }) => away <= most)
    .sort((a, b) => a.away - b.away);
  return near[0]?.known ?? placesOf(key, root)[0];
}

/** Where else a key is, one section deep, as the path to it. */
function placesOf(key: string, root: Schema): string[] {
  const top = knownKeys([], root);
  if (top.includes(key)) return [key];
  return top
    .filter((section) => knownKeys([section], root).includes(key))
    .map((section) => `${section}.${key}`);
}
