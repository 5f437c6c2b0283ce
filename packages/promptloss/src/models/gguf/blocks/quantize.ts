// float32 → the blocks that are written here. Q8_0, Q5_0 and Q5_1 are held byte for byte to Python's gguf package; Q4_K
// and Q6_K, which that does not write, are our own choice of scales, by least squares.
import type { BlockType } from "../format/block-types.ts";
import { HALF_VALUES, halfBits, toBfloat16, toHalf } from "./half.ts";

type Pack = (values: Float32Array, blocks: number, out: Uint8Array) => void;

/**
 * Packs whole blocks.
 * @param values as many as `out` has room for in blocks
 */
export function quantize(type: BlockType, values: Float32Array, out: Uint8Array): void {
  const blocks = values.length / type.elements;
  const pack = PACK[type.name];
  if (pack === undefined) throw new RangeError(`${type.name} is not written`);
  if (!Number.isInteger(blocks) || out.length !== blocks * type.bytes)
    throw new RangeError(`${values.length} elements of ${type.name} are not ${out.length} bytes`);
  pack(values, blocks, out);
}

const { fround } = Math;
const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** Writes a float16. @returns its value */
function putHalf(out: Uint8Array, at: number, value: number): number {
  float[0] = value;
  const half = halfBits(bits[0]!);
  out[at] = half & 255;
  out[at + 1] = half >> 8;
  return HALF_VALUES[half]!;
}

function bitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

function f32(values: Float32Array, _blocks: number, out: Uint8Array): void {
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function f16(values: Float32Array, _blocks: number, out: Uint8Array): void {
  toHalf(bitsOf(values), new Uint16Array(out.buffer, out.byteOffset, values.length));
}

function bf16(values: Float32Array, _blocks: number, out: Uint8Array): void {
  toBfloat16(bitsOf(values), new Uint16Array(out.buffer, out.byteOffset, values.length));
}

/** Half away from zero, as C's roundf. */
function rounded(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

function q8_0(values: Float32Array, blocks: number, out: Uint8Array): void {
  for (let b = 0, at = 0, v = 0; b < blocks; b++, at += 34, v += 32) {
    let most = 0;
    for (let j = 0; j < 32; j++) most = Math.max(most, Math.abs(values[v + j]!));
    const d = fround(most / 127);
    const inverse = d === 0 ? 0 : fround(1 / d);
    putHalf(out, at, d);
    for (let j = 0; j < 32; j++) out[at + 2 + j] = rounded(fround(values[v + j]! * inverse));
  }
}

function q5_0(values: Float32Array, blocks: number, out: Uint8Array): void {
  for (let b = 0, at = 0, v = 0; b < blocks; b++, at += 22, v += 32) {
    let farthest = 0;
    for (let j = 0; j < 32; j++) if (Math.abs(values[v + j]!) > Math.abs(farthest)) farthest = values[v + j]!;
    const d = fround(farthest / -16);
    const inverse = d === 0 ? 0 : fround(1 / d);
    putHalf(out, at, d);
    putFive(values, v, out, at + 2, (value) =>
      Math.min(31, Math.trunc(fround(fround(value * inverse) + 16.5))),
    );
  }
}

function q5_1(values: Float32Array, blocks: number, out: Uint8Array): void {
  for (let b = 0, at = 0, v = 0; b < blocks; b++, at += 24, v += 32) {
    let [least, most] = [values[v]!, values[v]!];
    for (let j = 1; j < 32; j++) {
      least = Math.min(least, values[v + j]!);
      most = Math.max(most, values[v + j]!);
    }
    const d = fround(fround(most - least) / 31);
    const inverse = d === 0 ? 0 : fround(1 / d);
    putHalf(out, at, d);
    putHalf(out, at + 2, least);
    putFive(values, v, out, at + 4, (value) =>
      Math.min(31, Math.trunc(fround(fround(fround(value - least) * inverse) + 0.5))),
    );
  }
}

/** 32 numbers of five bits: the fifth bits in four bytes, then 16 bytes. */
function putFive(
  values: Float32Array,
  v: number,
  out: Uint8Array,
  at: number,
  numberOf: (value: number) => number,
): void {
  let high = 0;
  for (let j = 0; j < 16; j++) {
    const [first, second] = [numberOf(values[v + j]!), numberOf(values[v + 16 + j]!)];
    out[at + 4 + j] = (first & 15) | ((second & 15) << 4);
    high |= ((first >> 4) << j) | ((second >> 4) << (j + 16));
  }
  for (let k = 0; k < 4; k++) out[at + k] = (high >>> (8 * k)) & 255;
}

/** The scale and minimum of 32 values for numbers 0 to 15: value ≈ scale · number − minimum, minimum ≥ 0. */
interface Affine {
  scale: number;
  least: number;
}

const numbers = new Uint8Array(32);

/**
 * Scales around the whole range are tried; for each, the numbers that it rounds to give scale and minimum anew by least
 * squares, weighted by size, as large weights do more. The best of all is kept.
 */
function affineOf(values: Float32Array, v: number, most: number): Affine {
  let [low, high, squares] = [0, values[v]!, 0];
  for (let j = 0; j < 32; j++) {
    const value = values[v + j]!;
    low = Math.min(low, value);
    high = Math.max(high, value);
    squares += value * value;
  }
  if (high <= low) return { scale: 0, least: -low };
  const weight = Math.sqrt(squares / 32);
  let best: Affine = { scale: (high - low) / most, least: -low };
  let bestError = errorOf(values, v, best, most, weight);
  for (let step = -1; step <= 1.01; step += 0.1) {
    const found = fitted(values, v, low, (high - low) / (most + step), most, weight);
    const error = found === undefined ? Number.POSITIVE_INFINITY : errorOf(values, v, found, most, weight);
    if (error < bestError) [best, bestError] = [found!, error];
  }
  return best;
}

function fitted(
  values: Float32Array,
  v: number,
  low: number,
  scale: number,
  most: number,
  weight: number,
): Affine | undefined {
  let [w, wq, wqq, wx, wxq] = [0, 0, 0, 0, 0];
  for (let j = 0; j < 32; j++) {
    const value = values[v + j]!;
    const q = Math.min(most, Math.max(0, Math.round((value - low) / scale)));
    const each = weight + Math.abs(value);
    w += each;
    wq += each * q;
    wqq += each * q * q;
    wx += each * value;
    wxq += each * value * q;
  }
  const determinant = w * wqq - wq * wq;
  if (determinant <= 0) return undefined;
  const slope = (w * wxq - wq * wx) / determinant;
  const least = -(wqq * wx - wq * wxq) / determinant;
  if (least < 0) return { scale: wxq / wqq, least: 0 };
  return slope > 0 ? { scale: slope, least } : undefined;
}

function errorOf(
  values: Float32Array,
  v: number,
  { scale, least }: Affine,
  most: number,
  weight: number,
): number {
  let sum = 0;
  for (let j = 0; j < 32; j++) {
    const value = values[v + j]!;
    const q = scale === 0 ? 0 : Math.min(most, Math.max(0, Math.round((value + least) / scale)));
    const off = scale * q - least - value;
    sum += (weight + Math.abs(value)) * off * off;
  }
  return sum;
}

/** Eight parts with scale and minimum each, those of six bits, times two float16. */
function q4_k(values: Float32Array, blocks: number, out: Uint8Array): void {
  for (let b = 0, at = 0, v = 0; b < blocks; b++, at += 144, v += 256) {
    const parts = Array.from({ length: 8 }, (_, part) => affineOf(values, v + 32 * part, 15));
    const d = putHalf(out, at, Math.max(...parts.map(({ scale }) => scale)) / 63);
    const m = putHalf(out, at + 2, Math.max(...parts.map(({ least }) => least)) / 63);
    const six = (value: number, unit: number): number =>
      unit === 0 ? 0 : Math.min(63, Math.max(0, Math.round(value / unit)));
    out.fill(0, at + 4, at + 16);
    parts.forEach(({ scale, least }, part) => {
      const [s, l] = [six(scale, d), six(least, m)];
      putSix(out, at + 4, part, s, l);
      const shift = (part & 1) * 4;
      const to = at + 16 + (part >> 1) * 32;
      for (let j = 0; j < 32; j++) {
        const q = s === 0 || d === 0 ? 0 : Math.round((values[v + 32 * part + j]! + m * l) / (d * s));
        numbers[j] = Math.min(15, Math.max(0, q));
        out[to + j] = shift === 0 ? numbers[j]! : out[to + j]! | (numbers[j]! << 4);
      }
    });
  }
}

/** Scale and minimum `part` of eight, six bits each in twelve bytes. */
function putSix(out: Uint8Array, at: number, part: number, scale: number, least: number): void {
  if (part < 4) {
    out[at + part]! |= scale;
    out[at + 4 + part]! |= least;
    return;
  }
  out[at + 4 + part] = (scale & 15) | ((least & 15) << 4);
  out[at + part - 4]! |= (scale >> 4) << 6;
  out[at + part]! |= (least >> 4) << 6;
}

/** The scale of 16 values for numbers −32 to 31: the best by least squares of some around the whole range. */
function symmetricScale(values: Float32Array, v: number): number {
  let farthest = 0;
  for (let j = 0; j < 16; j++) if (Math.abs(values[v + j]!) > Math.abs(farthest)) farthest = values[v + j]!;
  if (farthest === 0) return 0;
  let best = farthest / -32;
  let bestGain = -1;
  for (let step = -0.9; step <= 0.91; step += 0.1) {
    const scale = farthest / -(32 + step);
    let [xq, qq] = [0, 0];
    for (let j = 0; j < 16; j++) {
      const value = values[v + j]!;
      const q = Math.min(31, Math.max(-32, Math.round(value / scale)));
      const weight = value * value;
      xq += weight * value * q;
      qq += weight * q * q;
    }
    const gain = qq === 0 ? -1 : (xq * xq) / qq;
    if (gain > bestGain) [best, bestGain] = [xq / qq, gain];
  }
  return best;
}

function q6_k(values: Float32Array, blocks: number, out: Uint8Array): void {
  const q = new Uint8Array(256);
  for (let b = 0, at = 0, v = 0; b < blocks; b++, at += 210, v += 256) {
    const scales = Array.from({ length: 16 }, (_, part) => symmetricScale(values, v + 16 * part));
    const farthest = scales.reduce((most, each) => (Math.abs(each) > Math.abs(most) ? each : most), 0);
    const d = putHalf(out, at + 208, farthest / -128);
    scales.forEach((scale, part) => {
      const eight = d === 0 ? 0 : Math.min(127, Math.max(-128, Math.round(scale / d)));
      out[at + 192 + part] = eight & 255;
      for (let j = 0; j < 16; j++) {
        const unit = d * eight;
        const number = unit === 0 ? 0 : Math.round(values[v + 16 * part + j]! / unit);
        q[16 * part + j] = Math.min(31, Math.max(-32, number)) + 32;
      }
    });
    for (let half = 0; half < 2; half++)
      for (let j = 0; j < 32; j++) {
        const [a, c, e, g] = [0, 32, 64, 96].map((from) => q[128 * half + from + j]!) as [
          number,
          number,
          number,
          number,
        ];
        out[at + 64 * half + j] = (a & 15) | ((e & 15) << 4);
        out[at + 64 * half + 32 + j] = (c & 15) | ((g & 15) << 4);
        out[at + 128 + 32 * half + j] = (a >> 4) | ((c >> 4) << 2) | ((e >> 4) << 4) | ((g >> 4) << 6);
      }
  }
}

const PACK: Readonly<Record<string, Pack>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  Q8_0: q8_0,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q4_K: q4_k,
  Q6_K: q6_k,
};
