// A seeded source of uniform, normal, beta and chi-square variates: xoroshiro128+ from pure-rand under d3-random's distributions.
// The same seed gives the same draws on every machine.
import { randomBeta, randomGamma, randomNormal } from "d3-random";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface RandomSource {
  /** In [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  beta(a: number, b: number): number;
  /** With `df` degrees of freedom, not necessarily whole. */
  chiSquare(df: number): number;
}

export function randomSource(seed: number): RandomSource {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => uniformFloat64(generator);
  return {
    uniform,
    normal: randomNormal.source(uniform)(),
    beta: (a, b) => randomBeta.source(uniform)(a, b)(),
    chiSquare: (df) => 2 * randomGamma.source(uniform)(df / 2)(),
  };
}
