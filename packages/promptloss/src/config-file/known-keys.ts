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

/** The known key that is spelled most like a wrong one. */
export function nearestKey(path: readonly PropertyKey[], key: string, root: Schema): string | undefined {
  if (key.length > LONGEST) return undefined;
  return [...knownKeys(path, root)].sort((a, b) => distance(a, key) - distance(b, key))[0];
}
