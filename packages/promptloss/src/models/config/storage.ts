// How a frozen model keeps the weights of its layers' linear modules, as data: which kind of blocks, and which weights
// it fits. Embeddings, norms and the head stay in floats. Pure, so that plans can ask.
import type { WrittenBlockKind } from "@promptloss/torch";
import type { Architecture } from "./architecture.ts";
import { linearModules } from "./parameters.ts";

/** `nf4` and `int8` quantize what is loaded; `as-stored` keeps the blocks of a GGUF file as they are. */
export const STORAGES = ["nf4", "int8", "as-stored"] as const;

export type Storage = (typeof STORAGES)[number];

/** Of the storages that quantize: the kind of block, and how many columns one holds. */
const WRITTEN: Readonly<Record<Exclude<Storage, "as-stored">, readonly [WrittenBlockKind, number]>> = {
  nf4: ["NF4", 64],
  int8: ["Q8_0", 32],
};

/** The kind of block that a storage writes a linear module's weight in; undefined where rows are no whole blocks. */
export function writtenKind(
  storage: Exclude<Storage, "as-stored">,
  inputs: number,
): WrittenBlockKind | undefined {
  const [kind, columns] = WRITTEN[storage];
  return inputs % columns === 0 ? kind : undefined;
}

/** The weights that blocks may hold, by name, with what they take in and give. */
export function blockedWeights(
  architecture: Architecture,
): ReadonlyMap<string, { readonly inputs: number; readonly outputs: number }> {
  return new Map(
    linearModules(architecture).map(({ module, inputs, outputs }) => [
      `${module}.weight`,
      { inputs, outputs },
    ]),
  );
}
