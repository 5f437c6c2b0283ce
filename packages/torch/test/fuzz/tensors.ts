// Tensors for the fuzz: small, of every dtype, with every kind of element and layout that has a name; some freed.

import type { DType, Tensor, TypedArray } from "../../src/index.ts";
import * as torch from "../../src/index.ts";
import type { Source } from "./source.ts";

export const dtypes: readonly DType[] = [
  "float32",
  "float64",
  "bfloat16",
  "float16",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "bool",
];
export const floats: readonly DType[] = ["float32", "float64", "bfloat16", "float16"];

/** What the tensors of one call have in common, so that many calls get past the operators' first checks. */
export interface Theme {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The dtype of float tensors whose dimensions are named. */
  readonly float: DType;
  /** What the letters of named dimensions stand for: "float[mk]" and "float[kn]" fit each other. */
  readonly sizes: Readonly<Record<string, number>>;
}

export interface Wanted {
  dtypes?: readonly DType[];
  rank?: number;
  /** This very shape. */
  shape?: readonly number[];
  /** Row-major, not freed. */
  plain?: boolean;
  /** Elements that are mostly positions of a small dimension. */
  positions?: boolean;
}

export function themeOf(source: Source): Theme {
  const sizes: Record<string, number> = Object.fromEntries(
    [..."bhkmnv"].map((letter) => [letter, source.chance(0.05) ? 0 : source.int(1, 4)]),
  );
  // A head's width as the packed operator takes it.
  sizes["1"] = 1;
  sizes.w = source.chance(0.1) ? source.int(0, 17) : 16 * source.int(1, 2);
  return {
    shape: randomShape(source, source.int(0, 4)),
    dtype: source.pick(dtypes),
    float: source.chance(0.6) ? "float32" : source.pick(floats),
    sizes,
  };
}

function randomShape(source: Source, rank: number): number[] {
  return Array.from({ length: rank }, () => (source.chance(0.06) ? 0 : source.int(1, 4)));
}

/** The theme's shape, or one that broadcasts with it, or another. */
function shapeNear(source: Source, theme: Theme, rank: number | undefined): number[] {
  if (rank !== undefined) return randomShape(source, rank);
  if (source.chance(0.5)) return [...theme.shape];
  if (source.chance(0.5))
    return theme.shape.map((size) => (source.chance(0.3) ? 1 : size)).slice(source.int(0, 1));
  return randomShape(source, source.int(0, 4));
}

const strange = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e38, -1e-38, 65_504, 0];

function floatElement(source: Source, tame: boolean): number {
  if (!tame && source.chance(0.4)) return source.pick(strange);
  return source.int(-3000, 3000) / 1000;
}

const integerRange: Partial<Record<DType, [bigint, bigint]>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int16: [-32_768n, 32_767n],
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  bool: [0n, 1n],
};

function integerElement(source: Source, dtype: DType, tame: boolean): bigint {
  const [low, high] = integerRange[dtype] as [bigint, bigint];
  // The least number and −1 stand beside each other often: their quotient is the one that overflows.
  if (!tame && source.chance(0.6))
    return source.pick([
      low,
      low,
      low < 0n ? -1n : 0n,
      high,
      low + 1n,
      0n,
      1n,
      low < 0n ? -1n : 2n % (high + 1n),
    ]);
  const value = BigInt(source.int(tame ? 0 : -2, 3));
  return value < low ? low : value > high ? high : value;
}

/** The elements in the typed array of their dtype; 16-bit floats as any 16 bits. */
function elements(source: Source, dtype: DType, count: number, tame: boolean): TypedArray {
  const list = <T>(element: () => T): T[] => Array.from({ length: count }, element);
  switch (dtype) {
    case "float32":
      return Float32Array.from(list(() => floatElement(source, tame)));
    case "float64":
      return Float64Array.from(list(() => floatElement(source, tame)));
    case "bfloat16":
    case "float16":
      // 0x3c00 to 0x3fff: 1 to 2 as float16, 0.008 to 2 as bfloat16.
      return Uint16Array.from(list(() => (tame ? source.int(0x3c00, 0x3fff) : source.int(0, 0xffff))));
    case "int64":
      return BigInt64Array.from(list(() => integerElement(source, dtype, tame)));
    case "int32":
      return Int32Array.from(list(() => Number(integerElement(source, dtype, tame))));
    case "int16":
      return Int16Array.from(list(() => Number(integerElement(source, dtype, tame))));
    case "int8":
      return Int8Array.from(list(() => Number(integerElement(source, dtype, tame))));
    default:
      return Uint8Array.from(list(() => Number(integerElement(source, dtype, tame))));
  }
}

/** The same tensor behind a layout that is not row-major, or that shares elements. */
function layOut(source: Source, plain: Tensor): [Tensor, string] {
  const rank = plain.ndim;
  switch (source.int(0, 9)) {
    case 0:
      return rank >= 2 ? [plain.transpose(0, -1), ".transpose(0, -1)"] : [plain, ""];
    case 1:
      return rank >= 1 ? [plain.slice(0, null, null, { step: 2 }), ".slice(0, …, step 2)"] : [plain, ""];
    case 2:
      return rank >= 1 && plain.shape[0] !== 0 ? [plain.slice(0, 1), ".slice(0, 1)"] : [plain, ""];
    case 3:
      return [plain.unsqueeze(0).expand([3, ...plain.shape]), ".unsqueeze(0).expand([3, …])"];
    case 4:
      // Overlapping windows over the same memory.
      return plain.numel >= 4 ? [plain.asStrided([2, 3], [1, 1]), ".asStrided([2, 3], [1, 1])"] : [plain, ""];
    case 5:
      // A stride that no memory could hold, over a dimension of size 1.
      return plain.numel >= 2
        ? [plain.asStrided([1, 2], [2 ** 40, 1]), ".asStrided([1, 2], [2 ** 40, 1])"]
        : [plain, ""];
    default:
      return [plain, ""];
  }
}

export function randomTensor(
  source: Source,
  theme: Theme,
  wanted: Wanted = {},
): { value: Tensor; text: string } {
  const allowed = wanted.dtypes ?? dtypes;
  const dtype = allowed.includes(theme.dtype) && source.chance(0.7) ? theme.dtype : source.pick(allowed);
  const shape = wanted.shape ?? shapeNear(source, theme, wanted.rank);
  const count = shape.reduce((product, size) => product * size, 1);
  const tame = wanted.positions === true ? source.chance(0.8) : source.chance(0.5);
  const array = elements(source, dtype, count, tame);
  const plain = torch.fromTypedArray(array, shape, { dtype });
  const [value, layout] = wanted.plain === true ? [plain, ""] : layOut(source, plain);
  let text = `tensor(${dtype} [${shape.join(", ")}] {${Array.from(array as Iterable<unknown>, String).join(", ")}})${layout}`;
  if (floats.includes(dtype) && source.chance(0.1)) {
    value.requiresGrad = true;
    text += " requiring gradients";
  }
  if (wanted.plain !== true && source.chance(0.02)) {
    value.free();
    text += ", freed";
  }
  return { value, text };
}
