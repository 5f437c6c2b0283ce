// Functions of one tensor, element by element: the result has the input's shape.

import { operator } from "../dispatcher.ts";
import type { Tensor } from "../tensor.ts";

const native = {
  neg: operator("aten::neg"),
  abs: operator("aten::abs"),
  sign: operator("aten::sign"),
  exp: operator("aten::exp"),
  expm1: operator("aten::expm1"),
  log: operator("aten::log"),
  log1p: operator("aten::log1p"),
  log2: operator("aten::log2"),
  sqrt: operator("aten::sqrt"),
  rsqrt: operator("aten::rsqrt"),
  square: operator("aten::square"),
  reciprocal: operator("aten::reciprocal"),
  sin: operator("aten::sin"),
  cos: operator("aten::cos"),
  tanh: operator("aten::tanh"),
  sigmoid: operator("aten::sigmoid"),
  erf: operator("aten::erf"),
  floor: operator("aten::floor"),
  ceil: operator("aten::ceil"),
  round: operator("aten::round"),
  trunc: operator("aten::trunc"),
  clamp: operator("aten::clamp"),
  relu: operator("aten::relu"),
  gelu: operator("aten::gelu"),
  silu: operator("aten::silu"),
  softplus: operator("aten::softplus"),
};

/** −x. */
export function neg(input: Tensor): Tensor {
  return native.neg(input);
}

/** |x|. */
export function abs(input: Tensor): Tensor {
  return native.abs(input);
}

/** −1, 0 or 1. */
export function sign(input: Tensor): Tensor {
  return native.sign(input);
}

/** e^x. */
export function exp(input: Tensor): Tensor {
  return native.exp(input);
}

/** e^x − 1, exact near 0. */
export function expm1(input: Tensor): Tensor {
  return native.expm1(input);
}

/** The natural logarithm. */
export function log(input: Tensor): Tensor {
  return native.log(input);
}

/** log(1 + x), exact near 0. */
export function log1p(input: Tensor): Tensor {
  return native.log1p(input);
}

/** The logarithm to base 2. */
export function log2(input: Tensor): Tensor {
  return native.log2(input);
}

/** √x. */
export function sqrt(input: Tensor): Tensor {
  return native.sqrt(input);
}

/** 1 / √x. */
export function rsqrt(input: Tensor): Tensor {
  return native.rsqrt(input);
}

/** x². */
export function square(input: Tensor): Tensor {
  return native.square(input);
}

/** 1 / x. */
export function reciprocal(input: Tensor): Tensor {
  return native.reciprocal(input);
}

/** The sine, of radians. */
export function sin(input: Tensor): Tensor {
  return native.sin(input);
}

/** The cosine, of radians. */
export function cos(input: Tensor): Tensor {
  return native.cos(input);
}

/** The hyperbolic tangent. */
export function tanh(input: Tensor): Tensor {
  return native.tanh(input);
}

/** 1 / (1 + e^−x). */
export function sigmoid(input: Tensor): Tensor {
  return native.sigmoid(input);
}

/** The error function. */
export function erf(input: Tensor): Tensor {
  return native.erf(input);
}

/** The next whole number down. */
export function floor(input: Tensor): Tensor {
  return native.floor(input);
}

/** The next whole number up. */
export function ceil(input: Tensor): Tensor {
  return native.ceil(input);
}

/** The nearest whole number, halves to even. */
export function round(input: Tensor): Tensor {
  return native.round(input);
}

/** The whole part. */
export function trunc(input: Tensor): Tensor {
  return native.trunc(input);
}

export interface ClampBounds {
  min?: number;
  max?: number;
}

/** Elements below `min` become `min`, above `max` become `max`; one of them is needed. */
export function clamp(input: Tensor, { min, max }: ClampBounds = {}): Tensor {
  return native.clamp(input, min ?? null, max ?? null);
}

/** max(x, 0). */
export function relu(input: Tensor): Tensor {
  return native.relu(input);
}

export interface GeluOptions {
  /** "tanh" is the approximation of the GPT-2 family. */
  approximate?: "none" | "tanh";
}

/** x · Φ(x) (Hendrycks and Gimpel, 2016). */
export function gelu(input: Tensor, { approximate = "none" }: GeluOptions = {}): Tensor {
  return native.gelu(input, approximate);
}

/** x · sigmoid(x), also called swish. */
export function silu(input: Tensor): Tensor {
  return native.silu(input);
}

/** log(1 + e^x). */
export function softplus(input: Tensor): Tensor {
  return native.softplus(input);
}
