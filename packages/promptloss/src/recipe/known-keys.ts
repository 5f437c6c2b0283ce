// The keys that a part of the recipe may have, read off the schema, so that a wrong one gets the nearest right one.
import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { recipeSchema } from "./schema.ts";

/** The schema inside defaults, optionals, preprocessing and lists. */
const inner = (schema: z.core.$ZodType): z.core.$ZodType => {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return inner(schema.def.innerType);
  if (schema instanceof z.ZodPipe) return inner(schema.def.out);
  if (schema instanceof z.ZodArray) return inner(schema.def.element);
  return schema;
};

/** The keys at a path of a schema, the recipe's where left out; none where anything goes. */
export const knownKeys = (path: readonly PropertyKey[], root: z.core.$ZodType = recipeSchema): string[] => {
  let schema = inner(root);
  for (const key of path) {
    if (typeof key === "number") continue;
    if (!(schema instanceof z.ZodObject)) return [];
    const next: z.core.$ZodType | undefined = schema.def.shape[String(key)];
    if (next === undefined) return [];
    schema = inner(next);
  }
  if (schema instanceof z.ZodRecord && schema.def.keyType instanceof z.ZodEnum)
    return Object.values(schema.def.keyType.enum).map(String);
  return schema instanceof z.ZodObject ? Object.keys(schema.def.shape) : [];
};

/** The known key that is spelled most like a wrong one. */
export const nearestKey = (
  path: readonly PropertyKey[],
  key: string,
  root: z.core.$ZodType = recipeSchema,
): string | undefined => [...knownKeys(path, root)].sort((a, b) => distance(a, key) - distance(b, key))[0];

/** Every key of a recipe and of its sections, without the paths to them. */
export const recipeKeys = (): string[] => {
  const top = knownKeys([]);
  const sections = top.filter((key) => key !== "data").flatMap((key) => knownKeys([key]));
  return [...new Set([...top, ...sections])];
};
