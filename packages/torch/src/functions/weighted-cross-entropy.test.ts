// The native operator against its float64 reference in TypeScript and against torch's own cross entropy.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  autocast,
  crossEntropy,
  type DType,
  grad,
  gradcheck,
  libtorch,
  manualSeed,
  OperatorError,
  rand,
  randint,
  randn,
  scope,
  type Tensor,
  tensor,
  useFusedKernels,
  weightedCrossEntropy,
} from "../index.ts";
import { weightedCrossEntropy as reference } from "../reference/index.ts";

interface Case {
  tokens: number;
  units: number;
  vocabulary: number;
  seed: number;
  masked: number;
  withBias: boolean;
  reduction: "mean" | "sum";
  labelSmoothing: number;
  logitSoftcap: number;
  chunkSize: number;
}

const cases = fc.record<Case>({
  tokens: fc.integer({ min: 1, max: 12 }),
  units: fc.integer({ min: 1, max: 6 }),
  // Kernels take sixteen or thirty-two entries at a time, and then the rest.
  vocabulary: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 80 })),
  seed: fc.nat(1e6),
  masked: fc.constantFrom(0, 0.3, 0.9),
  withBias: fc.boolean(),
  reduction: fc.constantFrom("mean", "sum"),
  labelSmoothing: fc.constantFrom(0, 0.1, 1),
  logitSoftcap: fc.constantFrom(0, 2),
  chunkSize: fc.constantFrom(0, 1, 5, 100),
});

/** Random inputs; the first token always counts, so that a mean is defined. */
function inputsOf({ tokens, units, vocabulary, seed, masked, withBias }: Case, dtype: DType) {
  manualSeed(seed);
  const leaf = (shape: number[]): Tensor => randn(shape, { dtype, requiresGrad: true });
  const weights = rand([tokens], { dtype: "float64" }).mul(rand([tokens], { dtype: "float64" }).ge(masked));
  weights.at(0).fill_(0.5);
  return {
    hidden: leaf([tokens, units]),
    head: leaf([vocabulary, units]),
    targets: randint(0, vocabulary, [tokens]),
    weights: weights.to({ dtype: dtype === "float64" ? dtype : "float32" }),
    bias: withBias ? leaf([vocabulary]) : null,
  };
}

function numbers(values: Tensor | null): number[] {
  return values === null ? [] : Array.from(values.double().toTypedArray("float64"));
}

function expectClose(actual: readonly number[], expected: ArrayLike<number>, tolerance: number): void {
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - (expected[i] as number)) / scale).toBeLessThan(tolerance);
  });
}

/** Loss, token losses and gradients of the operator and of the reference, compared. */
function compare(each: Case, dtype: DType, tolerance: number): void {
  scope(() => {
    const { hidden, head, targets, weights, bias } = inputsOf(each, dtype);
    const result = weightedCrossEntropy(hidden, head, targets, weights, { ...each, bias });
    result.loss.backward();
    const expected = reference(
      {
        hidden: numbers(hidden),
        head: numbers(head),
        targets: numbers(targets),
        weights: numbers(weights),
        bias: bias === null ? undefined : numbers(bias),
        units: each.units,
      },
      each,
    );
    expectClose([result.loss.item()], [expected.loss], tolerance);
    expectClose(numbers(result.tokenLosses), expected.tokenLosses, tolerance);
    // Where two entries come closer than the rounding, which is likelier is open; random inputs rarely do.
    if (dtype === "float64")
      expect([...result.tokenCorrect.to({ dtype: "uint8" }).toTypedArray()]).toEqual([
        ...expected.tokenCorrect,
      ]);
    expectClose(numbers(hidden.grad), expected.gradients.hidden, tolerance);
    expectClose(numbers(head.grad), expected.gradients.head, tolerance);
    if (bias !== null) expectClose(numbers(bias.grad), expected.gradients.bias, tolerance);
  });
}

describe.each([true, false])("weightedCrossEntropy, with fused kernels: %s", (fused) => {
  let before: boolean;
  beforeAll(() => {
    before = useFusedKernels(fused);
  });
  afterAll(() => void useFusedKernels(before));

  // Sums of at most 12 tokens and 80 logits: some hundreds of roundings at most.
  test("equals the reference in float64 to 1e-12", () => {
    fc.assert(fc.property(cases, (each) => compare(each, "float64", 1e-12)));
  });

  test("equals the reference in float32 to 1e-5", () => {
    fc.assert(fc.property(cases, (each) => compare(each, "float32", 1e-5)));
  });

  test("equals torch's cross entropy, weighted by hand, on many tokens", () => {
    manualSeed(3);
    const hidden = randn([2, 150, 16], { dtype: "float64", requiresGrad: true });
    const head = randn([70, 16], { dtype: "float64", requiresGrad: true });
    const targets = randint(0, 70, [2, 150]);
    const weights = rand([2, 150], { dtype: "float64" });
    const { loss } = weightedCrossEntropy(hidden, head, targets, weights, { chunkSize: 64 });
    const [dHidden, dHead] = grad([loss], [hidden, head]) as [Tensor, Tensor];
    const losses = crossEntropy(hidden.matmul(head.t()).flatten(0, 1), targets.flatten(), {
      reduction: "none",
    });
    const expected = losses.mul(weights.flatten()).sum().div(weights.sum());
    const [expectedHidden, expectedHead] = grad([expected], [hidden, head]) as [Tensor, Tensor];
    expect(loss.item()).toBeCloseTo(expected.item(), 12);
    expect(dHidden.allclose(expectedHidden, { rtol: 1e-10, atol: 1e-14 })).toBe(true);
    expect(dHead.allclose(expectedHead, { rtol: 1e-10, atol: 1e-14 })).toBe(true);
  });

  test("its gradients, the weights' too, are those of finite differences", () => {
    manualSeed(4);
    const shape = { dtype: "float64", requiresGrad: true } as const;
    const weights = rand([5], { dtype: "float64" });
    weights.requiresGrad = true;
    const targets = tensor([0, 2, 1, -100, 3]).long();
    gradcheck(
      (hidden, head, w, bias) =>
        weightedCrossEntropy(hidden, head, targets, w, { bias, labelSmoothing: 0.1, chunkSize: 2 }).loss,
      [randn([5, 3], shape), randn([4, 3], shape), weights, randn([4], shape)],
    );
  });

  test("tokens of weight 0 change nothing, bit for bit", () => {
    const { hidden, head, targets, weights } = inputsOf(
      { tokens: 8, units: 4, vocabulary: 9, seed: 1, masked: 0, withBias: false } as Case,
      "float32",
    );
    const first = (each: Tensor): Tensor => each.narrow(0, 0, 7);
    const masked = weights.clone();
    masked.at(7).fill_(0);
    const cut = weightedCrossEntropy(first(hidden), head, first(targets), first(weights)).loss.item();
    expect(weightedCrossEntropy(hidden, head, targets, masked).loss.item()).toBe(cut);
    expect(weightedCrossEntropy(hidden, head, targets, weights).loss.item()).not.toBe(cut);
  });

  test("computes the products in bfloat16 under autocast, the loss in float32", () => {
    const { hidden, head, targets, weights } = inputsOf(
      { tokens: 32, units: 16, vocabulary: 50, seed: 2, masked: 0, withBias: false } as Case,
      "float32",
    );
    const exact = weightedCrossEntropy(hidden, head, targets, weights).loss.item();
    const { loss } = autocast({}, () => weightedCrossEntropy(hidden, head, targets, weights));
    loss.backward();
    expect([loss.dtype, hidden.grad?.dtype, head.grad?.dtype]).toEqual(["float32", "float32", "float32"]);
    // bfloat16 keeps 8 bits: logits of size up to 16 are off by up to 1/16, and their mean by less.
    expect(Math.abs(loss.item() - exact)).toBeLessThan(0.05);
    expect(loss.item()).not.toBe(exact);
  });

  test.each([
    [
      "a target outside the vocabulary",
      { targets: tensor([0, 9]).long() },
      /targets must be in \[0, 4\), got 9 at token 1/,
    ],
    [
      "a negative weight",
      { weights: tensor([1, -1]) },
      /weights must be finite and not negative, got -1 at token 1/,
    ],
    ["a weight that is no number", { weights: tensor([Number.NaN, 1]) }, /weights must be finite/],
    ["weights that are all 0", { weights: tensor([0, 0]) }, /no token has a weight above 0/],
    ["a head of another width", { head: randn([4, 2]) }, /head must have shape \[V, 3\]/],
    ["targets of another dtype", { targets: tensor([0, 1]) }, /targets must be int64/],
  ])("refuses %s", (_, changes, message) => {
    const good = {
      hidden: randn([2, 3]),
      head: randn([4, 3]),
      targets: tensor([0, 1]).long(),
      weights: tensor([1, 1]),
    };
    const { hidden, head, targets, weights } = { ...good, ...changes };
    const run = (): unknown => weightedCrossEntropy(hidden, head, targets, weights);
    expect(run).toThrow(OperatorError);
    expect(run).toThrow(message);
  });

  test("refuses a second derivative", () => {
    const hidden = randn([2, 3], { requiresGrad: true });
    const { loss } = weightedCrossEntropy(hidden, randn([4, 3]), tensor([0, 1]).long(), tensor([1, 1]));
    loss.backward({ createGraph: true });
    expect(() => (hidden.grad as Tensor).sum().backward()).toThrow(/second derivatives are not implemented/);
  });
});

describe("fused kernels and plain operators", () => {
  const both = <T>(run: () => T): [T, T] => {
    const before = useFusedKernels(true);
    try {
      const fused = run();
      useFusedKernels(false);
      return [fused, run()];
    } finally {
      useFusedKernels(before);
    }
  };

  test("give the same in bfloat16", () => {
    fc.assert(
      fc.property(cases, (each) =>
        scope(() => {
          const [fused, plain] = both(() => {
            const { hidden, head, targets, weights } = inputsOf({ ...each, withBias: false }, "float32");
            const result = autocast({}, () => weightedCrossEntropy(hidden, head, targets, weights, each));
            result.loss.backward();
            const losses = [...numbers(result.loss), ...numbers(result.tokenLosses)];
            return { losses, gradients: [...numbers(hidden.grad), ...numbers(head.grad)] };
          });
          // From the same logits in bfloat16: what differs is float32 arithmetic.
          expectClose(fused.losses, plain.losses, 1e-5);
          // Derivatives by logits are rounded to 8 bits, now and then to the other neighbor, and summed; libtorch 1
          // rounds sums of products of a few tokens as well.
          expectClose(
            fused.gradients,
            plain.gradients,
            libtorch().version.startsWith("1.") ? 2 ** -5 : 2 ** -6,
          );
        }),
      ),
    );
  });

  test("both give logits that are no numbers back as losses that are none", () => {
    for (const result of both(() => {
      const hidden = tensor([
        [Number.NaN, 1],
        [1, 1],
      ]);
      const { tokenLosses } = weightedCrossEntropy(
        hidden,
        randn([40, 2]),
        tensor([0, 1]).long(),
        tensor([1, 1]),
      );
      return numbers(tokenLosses);
    })) {
      expect(result[0]).toBeNaN();
      expect(result[1]).toBeGreaterThan(0);
    }
  });

  test("both take logits far apart", () => {
    const hidden = tensor([
      [1, 0],
      [0, 1],
    ]);
    const head = tensor(Array.from({ length: 37 }, (_, i) => [i === 3 ? 3e38 : -i * 1e4, 100 * i]));
    for (const losses of both(() =>
      numbers(weightedCrossEntropy(hidden, head, tensor([3, 36]).long(), tensor([1, 1])).tokenLosses),
    ))
      expect(losses.map(Math.abs)).toEqual([0, 0]);
  });

  test("both take hidden states without units: every entry is as likely", () => {
    const targets = tensor([0, 2]).long();
    for (const losses of both(() =>
      numbers(
        weightedCrossEntropy(randn([2, 0]).bfloat16(), randn([3, 0]).bfloat16(), targets, tensor([1, 1]))
          .tokenLosses,
      ),
    ))
      for (const loss of losses) expect(loss).toBeCloseTo(Math.log(3), 6);
  });
});
