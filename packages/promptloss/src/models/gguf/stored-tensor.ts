// How a model's folder names the tensors that it keeps in blocks: the parameter's name, and the kind of block. They are
// matrices of bytes to every other reader. Pure.
import type { BlockKind } from "@promptloss/torch";
import { BLOCK_TYPES } from "./format/block-types.ts";

/** A tensor of a model's folder: the parameter that it is, and its kind of block where it is kept in such. */
export interface StoredTensor {
  readonly name: string;
  readonly kind: BlockKind | undefined;
  /** Of the elements, not of the bytes. */
  readonly shape: readonly number[];
}

/** "model.layers.0.mlp.up_proj.weight@Q4_K". */
export function storedName(parameter: string, kind: string): string {
  return `${parameter}@${kind}`;
}

/** What a folder's tensor holds. A name that no block type ends is its parameter's. */
export function storedTensor(
  name: string,
  { dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] },
): StoredTensor {
  const at = name.lastIndexOf("@");
  const type = at < 0 ? undefined : BLOCK_TYPES.find((each) => each.name === name.slice(at + 1));
  const [rows, bytes] = shape;
  if (type === undefined || dtype !== "U8" || rows === undefined || bytes === undefined || shape.length !== 2)
    return { name, kind: undefined, shape };
  const columns = (bytes / type.bytes) * type.elements;
  return { name: name.slice(0, at), kind: type.name as BlockKind, shape: [rows, columns] };
}
