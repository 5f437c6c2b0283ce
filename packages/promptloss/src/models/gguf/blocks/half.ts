// float16 and bfloat16 as bits, from and to float32; rounded to the nearest, ties to even, as IEEE 754 asks for.

/** The float32 of every float16. */
export const HALF_VALUES: Float32Array = halfValues();

function halfValues(): Float32Array {
  const values = new Float32Array(1 << 16);
  for (let bits = 0; bits < 1 << 15; bits++) {
    const exponent = bits >> 10;
    const mantissa = bits & 0x3ff;
    const value =
      exponent === 0
        ? mantissa * 2 ** -24
        : exponent === 31
          ? mantissa === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : (1024 + mantissa) * 2 ** (exponent - 25);
    values[bits] = value;
    values[bits | 0x8000] = -value;
  }
  return values;
}

/** Writes float32, given as bits, as float16's bits. */
export function toHalf(source: Int32Array, target: Uint16Array): void {
  for (let i = 0; i < source.length; i++) target[i] = halfBits(source[i]!);
}

/** @param bits of a float32 */
export function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // NaN stays one; what rounds to 2¹⁶ or above is infinite.
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Subnormal: units of 2⁻²⁴.
  const shift = 126 - (magnitude >>> 23);
  if (shift > 24) return sign;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** Writes float32, given as bits, as bfloat16's bits. */
export function toBfloat16(source: Int32Array, target: Uint16Array): void {
  for (let i = 0; i < source.length; i++) {
    const bits = source[i]!;
    target[i] =
      (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}
