// llama2.c's checkpoint (run.c, version 0): seven int32 (hidden size, intermediate size, layers, heads, key heads,
// vocabulary, context; a negative vocabulary says that the head is a matrix of its own), then float32 weights in a
// fixed order.
import { numelOf } from "../config/parameters.ts";
import { ModelError } from "../errors.ts";

export interface Llama2cShape {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly vocabulary: number;
  readonly context: number;
  /** Whether the embedding is the head too. */
  readonly tied: boolean;
}

export interface Matrix {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Llama2cCheckpoint {
  readonly shape: Llama2cShape;
  /** By the names of Hugging Face's LLaMA, in its arrangement. */
  readonly weights: ReadonlyMap<string, Matrix>;
}

const HEADER_BYTES = 7 * 4;
const MAGIC = 0x616b3432;

/**
 * Reads a checkpoint. Little-endian, as llama2.c writes it.
 * @throws {ModelError} where the bytes are no such checkpoint, or too many or too few for what the header says
 */
export function readCheckpoint(bytes: Uint8Array, path: string): Llama2cCheckpoint {
  const shape = readHeader(bytes, path);
  const { hiddenSize, intermediateSize, layers, heads, keyValueHeads, vocabulary, context, tied } = shape;
  const headSize = hiddenSize / heads;
  const keyWidth = keyValueHeads * headSize;
  const weights = new Map<string, Matrix>();
  // A copy, as the bytes may lie at any offset.
  const all = new Float32Array(new Uint8Array(bytes.subarray(HEADER_BYTES)).buffer);
  let at = 0;
  const take = (shape: readonly number[]): Matrix => {
    const count = numelOf(shape);
    const values = all.subarray(at, at + count);
    at += count;
    return { shape, values };
  };
  const perLayer = (name: string, shape: readonly number[], arrange = (matrix: Matrix) => matrix): void => {
    for (let layer = 0; layer < layers; layer++)
      weights.set(`model.layers.${layer}.${name}.weight`, arrange(take(shape)));
  };
  weights.set("model.embed_tokens.weight", take([vocabulary, hiddenSize]));
  perLayer("input_layernorm", [hiddenSize]);
  perLayer("self_attn.q_proj", [hiddenSize, hiddenSize], (matrix) => halved(matrix, heads));
  perLayer("self_attn.k_proj", [keyWidth, hiddenSize], (matrix) => halved(matrix, keyValueHeads));
  perLayer("self_attn.v_proj", [keyWidth, hiddenSize]);
  perLayer("self_attn.o_proj", [hiddenSize, hiddenSize]);
  perLayer("post_attention_layernorm", [hiddenSize]);
  perLayer("mlp.gate_proj", [intermediateSize, hiddenSize]);
  perLayer("mlp.down_proj", [hiddenSize, intermediateSize]);
  perLayer("mlp.up_proj", [intermediateSize, hiddenSize]);
  weights.set("model.norm.weight", take([hiddenSize]));
  take([2, context, headSize / 2]); // cosines and sines, which readers compute
  if (!tied) weights.set("lm_head.weight", take([vocabulary, hiddenSize]));
  return { shape, weights };
}

function readHeader(bytes: Uint8Array, path: string): Llama2cShape {
  const fail = (message: string): never => {
    throw new ModelError(`${path}: ${message}`, {
      hint: "give a checkpoint of llama2.c's first version (model.bin), in float32",
    });
  };
  if (bytes.length < HEADER_BYTES) return fail(`has ${bytes.length} bytes, fewer than a checkpoint's header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) === MAGIC) return fail("is a checkpoint of a later version of llama2.c");
  const [hiddenSize, intermediateSize, layers, heads, keyValueHeads, signed, context] = Array.from(
    { length: 7 },
    (_, i) => view.getInt32(4 * i, true),
  ) as [number, number, number, number, number, number, number];
  const vocabulary = Math.abs(signed);
  const sizes = { hiddenSize, intermediateSize, layers, heads, keyValueHeads, vocabulary, context };
  for (const [name, size] of Object.entries(sizes))
    if (size < 1 || size > 1 << 24) return fail(`its header gives ${size} as ${inWords(name)}`);
  if (hiddenSize % heads !== 0 || (hiddenSize / heads) % 2 !== 0 || heads % keyValueHeads !== 0)
    return fail(
      `its header gives a hidden size of ${hiddenSize} to ${heads} heads and ${keyValueHeads} of keys`,
    );
  const keyWidth = (hiddenSize / heads) * keyValueHeads;
  const layer =
    2 * hiddenSize +
    2 * hiddenSize * hiddenSize +
    2 * keyWidth * hiddenSize +
    3 * hiddenSize * intermediateSize;
  const tied = signed > 0;
  const floats =
    (tied ? 1 : 2) * vocabulary * hiddenSize + layers * layer + hiddenSize + (context * hiddenSize) / heads;
  const expected = HEADER_BYTES + 4 * floats;
  if (bytes.length !== expected)
    return fail(`has ${bytes.length} bytes, where its header asks for ${expected}`);
  return { ...sizes, tied };
}

/** "hiddenSize" → "hidden size". */
function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/**
 * Rows of a query or key matrix, [heads · head size, hidden size]: llama2.c turns neighboring elements of a head by
 * one angle, Hugging Face's LLaMA an element of the first half with one of the second.
 */
function halved({ shape, values }: Matrix, heads: number): Matrix {
  const [rows, columns] = shape as [number, number];
  const headSize = rows / heads;
  const arranged = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const [head, element] = [Math.floor(row / headSize), row % headSize];
    const place = head * headSize + (element % 2) * (headSize / 2) + Math.floor(element / 2);
    arranged.set(values.subarray(row * columns, (row + 1) * columns), place * columns);
  }
  return { shape, values: arranged };
}
