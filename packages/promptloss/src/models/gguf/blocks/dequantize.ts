// GGUF's blocks → float32, by the layouts of ggml's block types (ggml-common.h); held bit for bit to Python's gguf
// package by test/goldens/gguf/blocks.json. Scales are float16 and small whole numbers, so that every product here is
// exact in float32, and only sums are rounded.
import type { BlockType } from "../format/block-types.ts";
import { IQ4_VALUES, PACKED, type PackedCodebook } from "./codebooks.ts";
import { HALF_VALUES } from "./half.ts";

/** Expands whole blocks. @param out as many elements as the blocks hold */
type Expand = (bytes: Uint8Array, blocks: number, out: Float32Array) => void;

/**
 * Expands a type's blocks.
 * @param bytes whole blocks
 * @param out as many elements as they hold
 */
export function dequantize(type: BlockType, bytes: Uint8Array, out: Float32Array): void {
  const blocks = bytes.length / type.bytes;
  if (!Number.isInteger(blocks) || out.length !== blocks * type.elements)
    throw new RangeError(`${bytes.length} bytes of ${type.name} are not ${out.length} elements`);
  EXPAND[type.name]!(bytes, blocks, out);
}

function half(bytes: Uint8Array, at: number): number {
  return HALF_VALUES[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function long(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Elements of a codebook one after the other. */
function codebook({ values, places, size }: PackedCodebook): Float32Array {
  const packed = Buffer.from(places, "base64");
  const bits = values.length <= 4 ? 2 : 4;
  const per = 8 / bits;
  const out = new Float32Array(packed.length * per);
  for (let i = 0; i < out.length; i++)
    out[i] = values[(packed[Math.floor(i / per)]! >> (bits * (i % per))) & ((1 << bits) - 1)]!;
  if (out.length % size !== 0) throw new RangeError("a codebook has a broken entry");
  return out;
}

/** Made when a type that needs them is first read. */
function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const books = {
  iq1: lazy(() => codebook(PACKED.IQ1)),
  iq2xxs: lazy(() => codebook(PACKED.IQ2_XXS)),
  iq2xs: lazy(() => codebook(PACKED.IQ2_XS)),
  iq2s: lazy(() => codebook(PACKED.IQ2_S)),
  iq3xxs: lazy(() => codebook(PACKED.IQ3_XXS)),
  iq3s: lazy(() => codebook(PACKED.IQ3_S)),
};

/** Eight factors for every byte of signs, the lowest bit first. */
const signs = lazy(() =>
  Float32Array.from({ length: 256 * 8 }, (_, i) => (((i >> 3) >> (i & 7)) & 1 ? -1 : 1)),
);

/** Seven signs and an eighth that makes the number of minuses even. */
const evenSigns = lazy(() =>
  Uint8Array.from({ length: 128 }, (_, seven) => {
    let bits = seven;
    for (let rest = seven; rest !== 0; rest >>= 1) bits ^= (rest & 1) << 7;
    return bits;
  }),
);

/** Writes eight elements: a codebook's entry, or two of four, with signs. */
function putEight(
  out: Float32Array,
  at: number,
  scale: number,
  book: Float32Array,
  entry: number,
  factors: Float32Array,
  sign: number,
): void {
  for (let j = 0; j < 8; j++) out[at + j] = scale * book[entry + j]! * factors[sign + j]!;
}

function putFour(
  out: Float32Array,
  at: number,
  scale: number,
  book: Float32Array,
  entry: number,
  factors: Float32Array,
  sign: number,
): void {
  for (let j = 0; j < 4; j++) out[at + j] = scale * book[entry + j]! * factors[sign + j]!;
}

function f32(bytes: Uint8Array, _blocks: number, out: Float32Array): void {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
}

function f16(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let i = 0; i < blocks; i++) out[i] = half(bytes, 2 * i);
}

function bf16(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < blocks; i++) bits[i] = word(bytes, 2 * i) << 16;
}

/** 16 bytes: the lower halves are the first 16 elements, the upper ones the others. */
function q4_0(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 18, o += 32) {
    const d = half(bytes, at);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 2 + j]!;
      out[o + j] = d * ((byte & 15) - 8);
      out[o + 16 + j] = d * ((byte >> 4) - 8);
    }
  }
}

function q4_1(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 20, o += 32) {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 4 + j]!;
      out[o + j] = d * (byte & 15) + m;
      out[o + 16 + j] = d * (byte >> 4) + m;
    }
  }
}

/** A fifth bit for each element in four bytes of their own. */
function q5_0(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 22, o += 32) {
    const d = half(bytes, at);
    const high = long(bytes, at + 2);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 6 + j]!;
      out[o + j] = d * (((byte & 15) | (((high >>> j) & 1) << 4)) - 16);
      out[o + 16 + j] = d * (((byte >> 4) | (((high >>> (j + 16)) & 1) << 4)) - 16);
    }
  }
}

function q5_1(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 24, o += 32) {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    const high = long(bytes, at + 4);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 8 + j]!;
      out[o + j] = d * ((byte & 15) | (((high >>> j) & 1) << 4)) + m;
      out[o + 16 + j] = d * ((byte >> 4) | (((high >>> (j + 16)) & 1) << 4)) + m;
    }
  }
}

function q8_0(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 34, o += 32) {
    const d = half(bytes, at);
    for (let j = 0; j < 32; j++) out[o + j] = d * ((bytes[at + 2 + j]! << 24) >> 24);
  }
}

/** Two bits an element: of 32 bytes, the lowest bits of all, then the next. Scale and minimum for every 16 elements. */
function q2_k(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 84, o += 256) {
    const d = half(bytes, at + 80);
    const m = half(bytes, at + 82);
    for (let part = 0; part < 16; part++) {
      const scale = bytes[at + part]!;
      const low = d * (scale & 15);
      const least = m * (scale >> 4);
      const shift = ((part >> 1) & 3) * 2;
      const from = at + 16 + (part >> 3) * 32 + (part & 1) * 16;
      const to = o + part * 16;
      for (let j = 0; j < 16; j++) out[to + j] = low * ((bytes[from + j]! >> shift) & 3) - least;
    }
  }
}

/** As Q2_K with a third bit, which is 0 for the four lowest values, and scales of six bits. */
function q3_k(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 110, o += 256) {
    const d = half(bytes, at + 108);
    for (let part = 0; part < 16; part++) {
      const low = part < 8 ? bytes[at + 96 + part]! & 15 : bytes[at + 88 + part]! >> 4;
      const high = (bytes[at + 104 + (part & 3)]! >> ((part >> 2) * 2)) & 3;
      const scale = d * ((low | (high << 4)) - 32);
      const shift = ((part >> 1) & 3) * 2;
      const from = at + 32 + (part >> 3) * 32 + (part & 1) * 16;
      const mask = at + (part & 1) * 16;
      const bit = part >> 1;
      const to = o + part * 16;
      for (let j = 0; j < 16; j++)
        out[to + j] =
          scale * (((bytes[from + j]! >> shift) & 3) - (((bytes[mask + j]! >> bit) & 1) === 0 ? 4 : 0));
    }
  }
}

/** Scale `i` of eight, six bits each in twelve bytes. */
export function scaleOfEight(bytes: Uint8Array, at: number, i: number): number {
  return i < 4 ? bytes[at + i]! & 63 : (bytes[at + 4 + i]! & 15) | ((bytes[at + i - 4]! >> 6) << 4);
}

/** Minimum `i` of eight, in the same twelve bytes. */
export function leastOfEight(bytes: Uint8Array, at: number, i: number): number {
  return i < 4 ? bytes[at + 4 + i]! & 63 : (bytes[at + 4 + i]! >> 4) | ((bytes[at + i]! >> 6) << 4);
}

/** Four bits an element: of 32 bytes the lower halves, then the upper ones. Scale and minimum for every 32 elements. */
function q4_k(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 144, o += 256) {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    for (let part = 0; part < 8; part++) {
      const scale = d * scaleOfEight(bytes, at + 4, part);
      const least = m * leastOfEight(bytes, at + 4, part);
      const shift = (part & 1) * 4;
      const from = at + 16 + (part >> 1) * 32;
      const to = o + part * 32;
      for (let j = 0; j < 32; j++) out[to + j] = scale * ((bytes[from + j]! >> shift) & 15) - least;
    }
  }
}

function q5_k(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 176, o += 256) {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    for (let part = 0; part < 8; part++) {
      const scale = d * scaleOfEight(bytes, at + 4, part);
      const least = m * leastOfEight(bytes, at + 4, part);
      const shift = (part & 1) * 4;
      const from = at + 48 + (part >> 1) * 32;
      const to = o + part * 32;
      for (let j = 0; j < 32; j++)
        out[to + j] =
          scale * (((bytes[from + j]! >> shift) & 15) | (((bytes[at + 16 + j]! >> part) & 1) << 4)) - least;
    }
  }
}

/** Six bits an element, a scale of eight bits for every 16. */
function q6_k(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 210, o += 256) {
    const d = half(bytes, at + 208);
    for (let part = 0; part < 16; part++) {
      const scale = d * ((bytes[at + 192 + part]! << 24) >> 24);
      const inner = part & 7;
      const low = at + (part >> 3) * 64 + (inner & 3) * 16;
      const lowShift = (inner >> 2) * 4;
      const high = at + 128 + (part >> 3) * 32 + (inner & 1) * 16;
      const highShift = (inner >> 1) * 2;
      const to = o + part * 16;
      for (let j = 0; j < 16; j++) {
        const q = ((bytes[low + j]! >> lowShift) & 15) | (((bytes[high + j]! >> highShift) & 3) << 4);
        out[to + j] = scale * (q - 32);
      }
    }
  }
}

/** For every 32 elements: four entries of eight elements, four times seven signs, and a scale of four bits. */
function iq2_xxs(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const [book, factors, even] = [books.iq2xxs(), signs(), evenSigns()];
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 66) {
    const d = half(bytes, at);
    for (let part = 0; part < 8; part++, o += 32) {
      const from = at + 2 + part * 8;
      const rest = long(bytes, from + 4);
      const scale = d * (0.5 + (rest >>> 28)) * 0.25;
      for (let l = 0; l < 4; l++)
        putEight(
          out,
          o + 8 * l,
          scale,
          book,
          bytes[from + l]! * 8,
          factors,
          even[(rest >>> (7 * l)) & 127]! * 8,
        );
    }
  }
}

function iq2_xs(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const [book, factors, even] = [books.iq2xs(), signs(), evenSigns()];
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 74) {
    const d = half(bytes, at);
    for (let i = 0; i < 32; i++, o += 8) {
      const q = word(bytes, at + 2 + 2 * i);
      const scale = d * (0.5 + ((bytes[at + 66 + (i >> 2)]! >> (((i >> 1) & 1) * 4)) & 15)) * 0.25;
      putEight(out, o, scale, book, (q & 511) * 8, factors, even[q >> 9]! * 8);
    }
  }
}

function iq2_s(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const [book, factors] = [books.iq2s(), signs()];
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 82) {
    const d = half(bytes, at);
    for (let i = 0; i < 32; i++, o += 8) {
      const entry = bytes[at + 2 + i]! | (((bytes[at + 66 + (i >> 2)]! >> (2 * (i & 3))) & 3) << 8);
      const scale = d * (0.5 + ((bytes[at + 74 + (i >> 2)]! >> (((i >> 1) & 1) * 4)) & 15)) * 0.25;
      putEight(out, o, scale, book, entry * 8, factors, bytes[at + 34 + i]! * 8);
    }
  }
}

function iq3_xxs(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const [book, factors, even] = [books.iq3xxs(), signs(), evenSigns()];
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 98) {
    const d = half(bytes, at);
    for (let part = 0; part < 8; part++, o += 32) {
      const rest = long(bytes, at + 66 + 4 * part);
      const scale = d * (0.5 + (rest >>> 28)) * 0.5;
      for (let l = 0; l < 8; l++) {
        const sign = even[(rest >>> (7 * (l >> 1))) & 127]! * 8 + (l & 1) * 4;
        putFour(out, o + 4 * l, scale, book, bytes[at + 2 + part * 8 + l]! * 4, factors, sign);
      }
    }
  }
}

function iq3_s(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const [book, factors] = [books.iq3s(), signs()];
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 110) {
    const d = half(bytes, at);
    for (let i = 0; i < 64; i++, o += 4) {
      const entry = bytes[at + 2 + i]! | (((bytes[at + 66 + (i >> 3)]! >> (i & 7)) & 1) << 8);
      const scale = d * (1 + 2 * ((bytes[at + 106 + (i >> 4)]! >> (((i >> 3) & 1) * 4)) & 15));
      putFour(out, o, scale, book, entry * 4, factors, bytes[at + 74 + (i >> 1)]! * 8 + (i & 1) * 4);
    }
  }
}

/** What −1, 0 and 1 are moved by in IQ1. */
const IQ1_DELTA = 0.125;

function iq1_s(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const book = books.iq1();
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 50) {
    const d = half(bytes, at);
    for (let i = 0; i < 32; i++, o += 8) {
      const high = word(bytes, at + 34 + 2 * (i >> 2));
      const scale = d * (2 * ((high >> 12) & 7) + 1);
      const delta = (high & 0x8000) === 0 ? IQ1_DELTA : -IQ1_DELTA;
      const entry = (bytes[at + 2 + i]! | (((high >> (3 * (i & 3))) & 7) << 8)) * 8;
      for (let j = 0; j < 8; j++) out[o + j] = scale * (book[entry + j]! + delta);
    }
  }
}

/** Its float16 lies in the upper four bits of the four numbers that hold the scales. */
function iq1_m(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  const book = books.iq1();
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 56) {
    let bits = 0;
    for (let k = 0; k < 4; k++) bits |= (bytes[at + 49 + 2 * k]! >> 4) << (4 * k);
    const d = HALF_VALUES[bits]!;
    for (let i = 0; i < 32; i++, o += 8) {
      const part = i >> 1;
      const scale = d * (2 * ((word(bytes, at + 48 + 2 * (part >> 2)) >> (3 * (part & 3))) & 7) + 1);
      const high = bytes[at + 32 + part]! >> (4 * (i & 1));
      const delta = (high & 8) === 0 ? IQ1_DELTA : -IQ1_DELTA;
      const entry = (bytes[at + i]! | ((high & 7) << 8)) * 8;
      for (let j = 0; j < 8; j++) out[o + j] = scale * (book[entry + j]! + delta);
    }
  }
}

function iq4_nl(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 18, o += 32) {
    const d = half(bytes, at);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 2 + j]!;
      out[o + j] = d * IQ4_VALUES[byte & 15]!;
      out[o + 16 + j] = d * IQ4_VALUES[byte >> 4]!;
    }
  }
}

function iq4_xs(bytes: Uint8Array, blocks: number, out: Float32Array): void {
  for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 136) {
    const d = half(bytes, at);
    const high = word(bytes, at + 2);
    for (let part = 0; part < 8; part++, o += 32) {
      const low = (bytes[at + 4 + (part >> 1)]! >> ((part & 1) * 4)) & 15;
      const scale = d * ((low | (((high >> (2 * part)) & 3) << 4)) - 32);
      for (let j = 0; j < 16; j++) {
        const byte = bytes[at + 8 + part * 16 + j]!;
        out[o + j] = scale * IQ4_VALUES[byte & 15]!;
        out[o + 16 + j] = scale * IQ4_VALUES[byte >> 4]!;
      }
    }
  }
}

const EXPAND: Readonly<Record<string, Expand>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2_k,
  Q3_K: q3_k,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
  IQ2_XXS: iq2_xxs,
  IQ2_XS: iq2_xs,
  IQ2_S: iq2_s,
  IQ3_XXS: iq3_xxs,
  IQ3_S: iq3_s,
  IQ1_S: iq1_s,
  IQ1_M: iq1_m,
  IQ4_NL: iq4_nl,
  IQ4_XS: iq4_xs,
};
