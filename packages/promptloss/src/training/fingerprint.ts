// What decides on a run's result, as hashes: two runs of the same fingerprint compute the same, so that one may go on
// from the other's checkpoint.
import { createHash } from "node:crypto";
import type { RowSet } from "../data/row-subset.ts";
import { partOf, type Recipe, recipeSchema } from "../recipe/index.ts";

/** SHA-256 over ids, classes and weights of all rows, those held out included. */
export function hashOfRows(rows: RowSet, heldOut: RowSet | undefined): string {
  const hash = createHash("sha256");
  for (const set of [rows, heldOut]) {
    hash.update(`rows ${set?.length ?? 0}\n`);
    for (let index = 0; index < (set?.length ?? 0); index++) {
      const { ids, classes, weights } = set!.at(index);
      for (const { buffer, byteOffset, byteLength } of [ids, classes, weights])
        hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest("hex");
}

export interface RunHashes {
  readonly dataHash: string;
  readonly modelHash: string;
  /** Where the loss looks at a reference model. */
  readonly referenceHash?: string | undefined;
}

/**
 * What lies in the model's and data's places comes in by its hashes. The number of processes changes roundings alone, as
 * that of threads does, and which masks dropout draws; it counts only where the loss is reduced over micro-batches, which
 * it forms.
 */
export function hashOfRun(
  recipe: Recipe,
  { dataHash, modelHash, referenceHash, processes = 1 }: RunHashes & { readonly processes?: number },
): string {
  const formsBatches = processes > 1 && recipe.loss.reduceOver === "micro-batch";
  return createHash("sha256")
    .update(
      JSON.stringify([
        decidingKeys(recipe),
        {
          dataHash,
          modelHash,
          ...(referenceHash !== undefined && { referenceHash }),
          ...(formsBatches && { processes }),
        },
      ]),
    )
    .digest("hex");
}

/** The keys of a recipe that decide on a run's weights. */
export function decidingKeys(recipe: Recipe): Record<string, unknown> {
  return partOf(
    recipe,
    recipeSchema,
    ({ affects, path }) => !path && (affects === "data" || affects === "result"),
  );
}
