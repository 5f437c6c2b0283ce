// How two runs differ, by the keys of their recipes, for a person who finds another run in the output folder.
import { type JsonObject, leavesOf } from "../json-object.ts";
import { factsOf, type Recipe, recipeSchema } from "../recipe/index.ts";
import { decidingKeys, type RunHashes } from "./fingerprint.ts";

/** What a run is told apart by. */
export interface RunIdentity extends RunHashes {
  /** With every `auto` settled. */
  readonly recipe: Recipe;
}

export interface Difference {
  /** "training.learningRate"; "model" and "data" for what lies in their places. */
  readonly key: string;
  readonly text: string;
}

/** Keys that change rows or their weights, and so the hash of the data. */
const ROW_KEYS = /^(loss\.(promptLossWeight|completionWeight|perClass)|maxLength|overflow|seed|evaluation)/;

/** In the recipe's order; model and data last. Empty for two runs that compute the same. */
export function differencesOf(before: RunIdentity, now: RunIdentity): Difference[] {
  const [old, current] = [jsonLeaves(decidingKeys(before.recipe)), jsonLeaves(decidingKeys(now.recipe))];
  const keys = [...new Set([...current.keys(), ...old.keys()])];
  const differences = keys.flatMap((key): Difference[] => {
    const [was, is] = [old.get(key), current.get(key)];
    return was === is ? [] : [{ key, text: `${key} was ${was ?? "left out"} and is ${is ?? "left out"}` }];
  });
  if (before.modelHash !== now.modelHash)
    differences.push({ key: "model", text: "the model's weights, config or tokenizer differ" });
  if (before.referenceHash !== now.referenceHash)
    differences.push({
      key: "loss.reweightingOptions.reference",
      text: "the reference model's weights or config differ",
    });
  const facts = factsOf(recipeSchema);
  const rowsFollow = differences.some(({ key }) => ROW_KEYS.test(key) || facts.get(key)?.affects === "data");
  if (before.dataHash !== now.dataHash && !rowsFollow)
    differences.push({ key: "data", text: "the data's rows differ" });
  return differences;
}

/** At most so many differences are told. */
const TOLD = 6;

/** "training.epochs was 2 and is 3; seed was 0 and is 1". */
export function differencesText(differences: readonly Difference[]): string {
  const more = differences.length > TOLD ? `; and ${differences.length - TOLD} more` : "";
  return `${differences
    .slice(0, TOLD)
    .map(({ text }) => text)
    .join("; ")}${more}`;
}

/** Values as JSON by their dotted paths. */
export function jsonLeaves(value: Readonly<JsonObject>): Map<string, string> {
  return new Map(Array.from(leavesOf(value), ([key, each]) => [key, JSON.stringify(each)]));
}
