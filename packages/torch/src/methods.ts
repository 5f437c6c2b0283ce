// Which functions are methods of Tensor too. A function's first parameter becomes `this`; nothing is written twice.

import { backward } from "./autograd/backward.ts";
import * as arithmetic from "./functions/arithmetic.ts";
import * as comparison from "./functions/comparison.ts";
import * as conversion from "./functions/conversion.ts";
import * as creation from "./functions/creation.ts";
import * as inPlace from "./functions/in-place.ts";
import * as indexing from "./functions/indexing.ts";
import * as linalg from "./functions/linalg.ts";
import * as nn from "./functions/nn.ts";
import * as pointwise from "./functions/pointwise.ts";
import * as random from "./functions/random.ts";
import * as reduction from "./functions/reduction.ts";
import * as shape from "./functions/shape.ts";
import { Tensor } from "./tensor.ts";

const { where: _where, ...comparisons } = comparison;
const { emptyLike, fullLike, onesLike, zerosLike } = creation;
const { foreachAdd_: _fa, foreachMul_: _fm, foreachZero_: _fz, ...writes } = inPlace;
const { embedding: _embedding, range: _range, ...choices } = indexing;
const { einsum: _einsum, ...products } = linalg;
const { dropout, logSoftmax, softmax } = nn;
const { bernoulli, multinomial, normal_, randLike, randnLike, uniform_ } = random;
const { cat: _cat, stack: _stack, ...shapes } = shape;

const methods = {
  ...arithmetic,
  ...comparisons,
  ...conversion,
  ...writes,
  ...choices,
  ...products,
  ...pointwise,
  ...reduction,
  ...shapes,
  backward,
  bernoulli,
  dropout,
  emptyLike,
  fullLike,
  logSoftmax,
  multinomial,
  normal_,
  onesLike,
  randLike,
  randnLike,
  softmax,
  uniform_,
  zerosLike,
};

type Method<F> = F extends (self: Tensor, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** The operators as methods: `a.add(b)` is `add(a, b)`. */
export type TensorMethods = { [Name in keyof typeof methods]: Method<(typeof methods)[Name]> };

for (const [name, implementation] of Object.entries(methods)) {
  const call = implementation as (self: Tensor, ...rest: unknown[]) => unknown;
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return rest.length === 1 ? call(this, rest[0]) : call(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
