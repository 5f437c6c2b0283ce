// Reads the goldens that the programs in test/python made, and compares tensors with them.
import { readFileSync } from "node:fs";
import { isFloatingPoint } from "../../src/dtype.ts";
import { type DType, noGrad, type Tensor, tensor } from "../../src/index.ts";

/** A number; "NaN", "Infinity" or "-Infinity"; or a whole number beyond 2^53 as its digits and an "n". */
export type GoldenNumber = number | boolean | string;

export interface GoldenTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly GoldenNumber[];
  /** A view to take of it: its layout is not row-major then. */
  readonly view?:
    | readonly ["transpose", number, number]
    | readonly ["expand", number[]]
    | readonly ["step", number];
}

export function readGoldens<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../goldens/${name}.json`, import.meta.url), "utf8")) as T;
}

export function parseNumber(value: GoldenNumber): number | bigint | boolean {
  if (typeof value !== "string") return value;
  return value.endsWith("n") ? BigInt(value.slice(0, -1)) : Number(value);
}

/** The tensor that a golden describes. */
export function build(golden: GoldenTensor): Tensor {
  const { dtype, shape, data, view } = golden;
  const flat = data.map(parseNumber);
  const whole = dtype === "int64" ? flat.map((x) => BigInt(x)) : flat;
  const base = tensor(whole as number[], { dtype }).reshape(shape);
  switch (view?.[0]) {
    case "transpose":
      return base.transpose(view[1], view[2]);
    case "expand":
      return base.expand(view[1]);
    case "step":
      return base.slice(0, null, null, { step: view[1] });
    default:
      return base;
  }
}

/**
 * Units in the last place by which a result may differ. Libraries of elementary functions differ by one or two, sums
 * and products in another order by a few; half precision is computed in float32 and rounded once, so that only a
 * number beside a border between two can land on the other one.
 */
const ulps: Partial<Record<DType, number>> = { float64: 8, float32: 8, bfloat16: 1, float16: 1 };
const epsilon: Partial<Record<DType, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  bfloat16: 2 ** -7,
  float16: 2 ** -10,
};

/** What differs between a tensor and its golden, or undefined. `widen` multiplies the tolerance of floats. */
export function difference(actual: Tensor, expected: GoldenTensor, widen = 1): string | undefined {
  if (actual.dtype !== expected.dtype) return `dtype ${actual.dtype}, expected ${expected.dtype}`;
  if (String(actual.shape) !== String(expected.shape))
    return `shape [${actual.shape}], expected [${expected.shape}]`;
  const values: unknown = noGrad(() => actual.toArray());
  const got = [values].flat(Number.POSITIVE_INFINITY as 1) as (number | bigint | boolean)[];
  const wanted = expected.data.map(parseNumber);
  const finite = wanted.map(Number).filter(Number.isFinite);
  // What terms cancel to is no more exact than the terms, which are about as large as the largest result.
  const largest = finite.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const unit = (epsilon[expected.dtype] ?? 0) * (ulps[expected.dtype] ?? 0) * widen;
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [got[i], wanted[i]] as [number, number];
    const same = isFloatingPoint(expected.dtype)
      ? Object.is(a, b) ||
        (a === b && !isSignedZero(a, b)) ||
        Math.abs(a - b) <= unit * Math.max(Math.abs(b), largest / 4)
      : a === b;
    if (!same) return `element ${i} is ${String(a)}, expected ${String(b)}`;
  }
  return undefined;
}

function isSignedZero(a: number, b: number): boolean {
  return a === 0 && b === 0 && !Object.is(a, b);
}
