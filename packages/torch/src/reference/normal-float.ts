// NF4 with double quantization (QLoRA, arXiv 2305.14314) by plain loops: the layout of native/ops/kernels/blocks.h, and
// the reference of what is expanded and quantized there. Scales are grouped within a row, not across rows as in
// bitsandbytes, so that a row is whole by itself.

import { ReferenceArgumentError } from "./errors.ts";

/** Elements that share a scale, and scales that share theirs. */
const BLOCK = 64;
const GROUP = 256;

/** What the codes mean: appendix E of the paper. */
export const NORMAL_FLOATS: Float32Array = Float32Array.of(
  ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635],
  ...[-0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725],
  ...[0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941],
  ...[0.7229568362236023, 1],
);

/** What the scales' codes mean: the dynamic map of 8 bits (arXiv 1511.04561), rising. */
export const DYNAMIC_MAP: Float32Array = dynamicMap();

function dynamicMap(): Float32Array {
  const values = [0, 1];
  for (let i = 0; i < 7; i++)
    for (let item = 0; item < 2 ** i; item++) {
      const value = 10 ** (i - 6) * (0.1 + (0.9 * (item + 0.5)) / 2 ** i);
      values.push(value, -value);
    }
  return Float32Array.from(values).sort();
}

/** Bytes of a row. */
export function normalFloatRowBytes(columns: number): number {
  if (columns < BLOCK || columns % BLOCK !== 0)
    throw new ReferenceArgumentError("columns", `come in blocks of ${BLOCK}, got ${columns}`);
  const blocks = columns / BLOCK;
  return columns / 2 + blocks + 4 * (Math.ceil(blocks / GROUP) + 1);
}

/** Rows of NF4 → [rows, columns]. */
export function expandNormalFloat(bytes: Uint8Array, columns: number): Float32Array {
  const rowBytes = normalFloatRowBytes(columns);
  const rows = bytes.length / rowBytes;
  const blocks = columns / BLOCK;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < out.length; i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const at = row * rowBytes;
    const block = Math.floor(column / BLOCK);
    const groups = at + columns / 2 + blocks;
    const widest = view.getFloat32(groups + 4 * Math.floor(block / GROUP), true);
    const offset = view.getFloat32(at + rowBytes - 4, true);
    const most = Math.fround(DYNAMIC_MAP[bytes[at + columns / 2 + block]!]! * widest + offset);
    const pair = bytes[at + (column >> 1)]!;
    out[i] = NORMAL_FLOATS[column % 2 === 0 ? pair >> 4 : pair & 15]! * most;
  }
  return out;
}

/** [rows, columns] → rows of NF4. */
export function quantizeNormalFloat(values: Float32Array, columns: number): Uint8Array {
  const rowBytes = normalFloatRowBytes(columns);
  const rows = values.length / columns;
  const blocks = columns / BLOCK;
  const most = new Float32Array(rows * blocks);
  values.forEach((value, i) => {
    const block = Math.floor(i / BLOCK);
    if (Math.abs(value) > most[block]!) most[block] = Math.abs(value);
  });
  const offset = Math.fround(most.reduce((sum, each) => sum + each, 0) / most.length);
  const out = new Uint8Array(rows * rowBytes);
  const view = new DataView(out.buffer);
  values.forEach((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const scale = most[Math.floor(i / BLOCK)]!;
    const code = scale === 0 ? 7 : nearest(NORMAL_FLOATS, Math.fround(value / scale));
    out[row * rowBytes + (column >> 1)]! |= column % 2 === 0 ? code << 4 : code;
  });
  for (let row = 0; row < rows; row++) {
    const codes = row * rowBytes + columns / 2;
    for (let first = 0; first < blocks; first += GROUP) {
      const own = most.subarray(row * blocks + first, row * blocks + Math.min(blocks, first + GROUP));
      const apart = own.map((each) => each - offset);
      const widest = apart.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0);
      apart.forEach((each, b) => {
        out[codes + first + b] = nearest(DYNAMIC_MAP, widest === 0 ? 0 : Math.fround(each / widest));
      });
      view.setFloat32(codes + blocks + (4 * first) / GROUP, widest, true);
    }
    view.setFloat32((row + 1) * rowBytes - 4, offset, true);
  }
  return out;
}

/** The place of the nearest value; of two that are as near, the lower one's. */
function nearest(values: Float32Array, wanted: number): number {
  let best = 0;
  values.forEach((value, place) => {
    if (Math.abs(value - wanted) < Math.abs(values[best]! - wanted)) best = place;
  });
  return best;
}
