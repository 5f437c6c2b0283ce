// The adapter that a recipe trains, whichever of its two keys says so.
import type { AdapterOptions } from "../models/config/adapters.ts";
import type { Storage } from "../models/config/storage.ts";
import type { Recipe } from "./schema.ts";

export interface RecipeAdapter extends AdapterOptions {
  readonly base: Storage | undefined;
  readonly merge: boolean;
  /** The recipe's key that says it. */
  readonly key: "adapter" | "lora";
}

/** `lora` is short for an adapter of that kind; undefined where the model's own weights are trained. */
export function adapterOf({ adapter, lora }: Pick<Recipe, "adapter" | "lora">): RecipeAdapter | undefined {
  const section = adapter ?? (lora && { kind: "lora" as const, ...lora });
  if (section === undefined) return undefined;
  const { rslora, ...options } = section;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return {
    ...(given as Omit<typeof options, "base">),
    ...(rslora !== undefined && { rankStabilized: rslora }),
    base: section.base,
    key: adapter === undefined ? "lora" : "adapter",
  } as RecipeAdapter;
}
