// llama2.c's checkpoint (run.c, version 0): seven int32 (width, MLP width, layers, heads, key heads, vocabulary,
// context; a negative vocabulary says that the head is a matrix of its own), then float32 weights in a fixed order.
import { ModelError } from "../errors.ts";

export interface Llama2cShape {
  readonly width: number;
  readonly mlpWidth: number;
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
  const { width, mlpWidth, layers, heads, keyValueHeads, vocabulary, context, tied } = shape;
  const headWidth = width / heads;
  const keyWidth = keyValueHeads * headWidth;
  const weights = new Map<string, Matrix>();
  // A copy, as the bytes may lie at any offset.
  const all = new Float32Array(new Uint8Array(bytes.subarray(HEADER_BYTES)).buffer);
  let at = 0;
  const take = (shape: readonly number[]): Matrix => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = all.subarray(at, at + count);
    at += count;
    return { shape, values };
  };
  const perLayer = (name: string, shape: readonly number[], arrange = (matrix: Matrix) => matrix): void => {
    for (let layer = 0; layer < layers; layer++)
      weights.set(`model.layers.${layer}.${name}.weight`, arrange(take(shape)));
  };
  weights.set("model.embed_tokens.weight", take([vocabulary, width]));
  perLayer("input_layernorm", [width]);
  perLayer("self_attn.q_proj", [width, width], (matrix) => halved(matrix, heads));
  perLayer("self_attn.k_proj", [keyWidth, width], (matrix) => halved(matrix, keyValueHeads));
  perLayer("self_attn.v_proj", [keyWidth, width]);
  perLayer("self_attn.o_proj", [width, width]);
  perLayer("post_attention_layernorm", [width]);
  perLayer("mlp.gate_proj", [mlpWidth, width]);
  perLayer("mlp.down_proj", [width, mlpWidth]);
  perLayer("mlp.up_proj", [mlpWidth, width]);
  weights.set("model.norm.weight", take([width]));
  take([2, context, headWidth / 2]); // cosines and sines, which readers compute
  if (!tied) weights.set("lm_head.weight", take([vocabulary, width]));
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
  const [width, mlpWidth, layers, heads, keyValueHeads, signed, context] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(4 * i, true),
  ) as [number, number, number, number, number, number, number];
  const vocabulary = Math.abs(signed);
  const sizes = { width, mlpWidth, layers, heads, keyValueHeads, vocabulary, context };
  for (const [name, size] of Object.entries(sizes))
    if (size < 1 || size > 1 << 24) return fail(`its header gives ${size} as ${name}`);
  if (width % heads !== 0 || (width / heads) % 2 !== 0 || heads % keyValueHeads !== 0)
    return fail(`its header gives a width of ${width} to ${heads} heads and ${keyValueHeads} of keys`);
  const keyWidth = (width / heads) * keyValueHeads;
  const layer = 2 * width + 2 * width * width + 2 * keyWidth * width + 3 * width * mlpWidth;
  const tied = signed > 0;
  const floats = (tied ? 1 : 2) * vocabulary * width + layers * layer + width + (context * width) / heads;
  const expected = HEADER_BYTES + 4 * floats;
  if (bytes.length !== expected)
    return fail(`has ${bytes.length} bytes, where its header asks for ${expected}`);
  return { ...sizes, tied };
}

/**
 * Rows of a query or key matrix, [heads · head width, width]: llama2.c turns neighboring elements of a head by one
 * angle, Hugging Face's LLaMA an element of the first half with one of the second.
 */
function halved({ shape, values }: Matrix, heads: number): Matrix {
  const [rows, columns] = shape as [number, number];
  const headWidth = rows / heads;
  const arranged = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const [head, element] = [Math.floor(row / headWidth), row % headWidth];
    const place = head * headWidth + (element % 2) * (headWidth / 2) + Math.floor(element / 2);
    arranged.set(values.subarray(row * columns, (row + 1) * columns), place * columns);
  }
  return { shape, values: arranged };
}
