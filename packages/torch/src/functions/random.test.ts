// Random functions and uninitialized memory have no fixed answer: shapes, dtypes, ranges and moments instead. That a
// seed's numbers come again is in random-state.test.ts and, between processes, in test/process.test.ts.
import { beforeEach, describe, expect, test } from "vitest";
import {
  bernoulli,
  type DType,
  empty,
  emptyLike,
  full,
  manualSeed,
  multinomial,
  normal_,
  ones,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  type Tensor,
  tensor,
  uniform_,
  zeros,
} from "../index.ts";

beforeEach(() => manualSeed(11));

function numbers(values: Tensor): number[] {
  return Array.from(values.to({ dtype: "float64" }).toTypedArray("float64"));
}

const COUNT = 40_000;

/** Mean and variance within 5 standard errors of these: a right generator misses by chance once in a million seeds. */
function expectMoments(values: Tensor, mean: number, variance: number, kurtosis: number): void {
  const all = numbers(values);
  const found = all.reduce((sum, x) => sum + x, 0) / all.length;
  const spread = all.reduce((sum, x) => sum + (x - found) ** 2, 0) / (all.length - 1);
  expect(Math.abs(found - mean)).toBeLessThan(5 * Math.sqrt(variance / all.length));
  expect(Math.abs(spread - variance)).toBeLessThan(5 * variance * Math.sqrt((kurtosis - 1) / all.length));
}

const floats = ["float32", "float64", "bfloat16", "float16"] as const;

describe("uniform and normal numbers", () => {
  const like = zeros([200, 200]);

  test.each([
    ["rand", () => rand([200, 200])],
    ["randLike", () => randLike(like)],
    ["uniform_", () => uniform_(zeros([200, 200]))],
  ])("%s is uniform over [0, 1)", (_, make) => {
    const made = make();
    expect([made.shape, made.dtype]).toEqual([[200, 200], "float32"]);
    expect(numbers(made).every((x) => x >= 0 && x < 1)).toBe(true);
    expectMoments(made, 1 / 2, 1 / 12, 1.8);
  });

  test.each([
    ["randn", () => randn([200, 200])],
    ["randnLike", () => randnLike(like)],
    ["normal_", () => normal_(zeros([200, 200]))],
  ])("%s is standard normal", (_, make) => {
    const made = make();
    expect([made.shape, made.dtype]).toEqual([[200, 200], "float32"]);
    expectMoments(made, 0, 1, 3);
  });

  test("uniform_ and normal_ take their parameters and give back what they filled", () => {
    const target = zeros([COUNT], { dtype: "float64" });
    expect(uniform_(target, -3, 1)).toBe(target);
    expectMoments(target, -1, 16 / 12, 1.8);
    expect(normal_(target, 4, 0.5)).toBe(target);
    expectMoments(target, 4, 0.25, 3);
  });

  test.each(floats)("come in %s, and may require gradients", (dtype) => {
    for (const make of [rand, randn]) {
      const made = make([3], { dtype, requiresGrad: true });
      expect([made.dtype, made.requiresGrad]).toEqual([dtype, true]);
    }
    const like = zeros([3], { dtype });
    expect([randLike(like).dtype, randnLike(like, { dtype: "float32" }).dtype]).toEqual([dtype, "float32"]);
  });
});

describe("whole numbers", () => {
  test("randint is uniform over low … high − 1", () => {
    const made = randint(-2, 3, [COUNT]);
    expect(made.dtype).toBe("int64");
    expect(new Set(numbers(made))).toEqual(new Set([-2, -1, 0, 1, 2]));
    expectMoments(made, 0, 2, 1.7);
    expect(() => randint(3, 3, [1])).toThrow();
  });

  test("randperm holds each of 0 … n − 1 once, in another order", () => {
    const made = numbers(randperm(1000));
    expect(made).not.toEqual([...made].sort((a, b) => a - b));
    expect([...made].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(randperm(0).shape).toEqual([0]);
  });

  test("requiresGrad is done where the dtype allows, else refused", () => {
    expect(randint(0, 5, [2], { dtype: "float32", requiresGrad: true }).requiresGrad).toBe(true);
    expect(randperm(5, { dtype: "float32", requiresGrad: true }).requiresGrad).toBe(true);
    expect(() => randint(0, 5, [2], { requiresGrad: true })).toThrow(/floating point/);
    expect(() => randperm(5, { requiresGrad: true })).toThrow(/floating point/);
  });
});

describe("draws", () => {
  test("multinomial follows the probabilities of each row", () => {
    const drawn = multinomial(
      tensor([
        [1, 0, 3],
        [0, 5, 0],
      ]),
      COUNT,
      { replacement: true },
    );
    expect([drawn.shape, drawn.dtype]).toEqual([[2, COUNT], "int64"]);
    const [first = [], second = []] = drawn.toArray() as number[][];
    expect(new Set(first)).toEqual(new Set([0, 2]));
    // A share of 3/4 has the standard error √(3/16/n).
    const share = first.filter((i) => i === 2).length / COUNT;
    expect(Math.abs(share - 0.75)).toBeLessThan(5 * Math.sqrt(0.1875 / COUNT));
    expect(new Set(second)).toEqual(new Set([1]));
  });

  test("multinomial without replacement draws no index twice, and not more than there are", () => {
    const [row = []] = multinomial(ones([1, 6]), 6).toArray() as number[][];
    expect([...row].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(() => multinomial(ones([1, 6]), 7)).toThrow();
  });

  test("bernoulli draws 1 with the given probability", () => {
    const drawn = bernoulli(full([COUNT], 0.3));
    expect(new Set(numbers(drawn))).toEqual(new Set([0, 1]));
    expectMoments(drawn, 0.3, 0.21, 1 / 0.21 - 3);
    expect(numbers(bernoulli(tensor([0, 1])))).toEqual([0, 1]);
    expect(() => bernoulli(tensor([1.5]))).toThrow();
  });
});

describe("uninitialized memory", () => {
  test.each([...floats, "int64", "int32", "int16", "int8", "uint8", "bool"] as const)(
    "of %s has its shape and dtype",
    (dtype: DType) => {
      for (const made of [empty([2, 3], { dtype }), emptyLike(zeros([2, 3], { dtype }))])
        expect([made.shape, made.dtype, made.toTypedArray().length]).toEqual([[2, 3], dtype, 6]);
    },
  );

  test("of bools is false: other bytes than 0 and 1 are not to be met", () => {
    expect(numbers(empty([1000], { dtype: "bool" })).every((x) => x === 0)).toBe(true);
    expect(numbers(emptyLike(ones([1000]), { dtype: "bool" })).every((x) => x === 0)).toBe(true);
  });
});
