// The one pass over memory against ATen's operators and against the definition in float64. Against torch.optim.AdamW:
// the goldens of promptloss' training.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AdamWStepOptions,
  adamwStep_,
  fromTypedArray,
  manualSeed,
  noGrad,
  OperatorError,
  randn,
  scope,
  type Tensor,
  useFusedKernels,
  zeros,
  zerosLike,
} from "../index.ts";

const settings = fc.record({
  rate: fc.double({ min: 1e-6, max: 0.1, noNaN: true }),
  betas: fc.constantFrom<[number, number]>([0.9, 0.999], [0, 0.95], [0.8, 0.9]),
  epsilon: fc.constantFrom(1e-8, 1e-3),
  weightDecay: fc.constantFrom(0, 0.01, 0.5),
  gradientScale: fc.constantFrom(1, 0.3),
});
/** Whole vectors, remainders, several threads' shares, nothing at all. */
const sizes = fc.oneof(fc.constantFrom(0, 1, 15, 16, 17, 40_000), fc.integer({ min: 1, max: 200 }));

/** The parameter after three steps. */
function stepped(
  start: Tensor,
  gradients: readonly Tensor[],
  options: Omit<AdamWStepOptions, "steps">,
): Tensor {
  return noGrad(() => {
    const [parameter, first, second] = [start.clone(), zerosLike(start), zerosLike(start)];
    gradients.forEach((gradient, i) => {
      adamwStep_(parameter, first, second, gradient, { ...options, steps: i + 1 });
    });
    return parameter;
  });
}

/** The definition, number by number. */
function defined(
  weight: number,
  gradients: readonly number[],
  { rate, betas, epsilon, weightDecay, gradientScale }: Required<Omit<AdamWStepOptions, "steps">>,
): number {
  let [own, first, second] = [weight, 0, 0];
  gradients.forEach((each, i) => {
    const gradient = each * gradientScale;
    own -= rate * weightDecay * own;
    first = betas[0] * first + (1 - betas[0]) * gradient;
    second = betas[1] * second + (1 - betas[1]) * gradient ** 2;
    const corrected = [first / (1 - betas[0] ** (i + 1)), second / (1 - betas[1] ** (i + 1))] as const;
    own -= (rate * corrected[0]) / (Math.sqrt(corrected[1]) + epsilon);
  });
  return own;
}

function random(count: number): Tensor {
  return randn([count], { dtype: "float64" });
}

describe("adamwStep_", () => {
  test("takes the steps of its definition, in one pass and in ATen's operators", () => {
    fc.assert(
      fc.property(sizes, settings, fc.nat(1e6), (count, options, seed) =>
        scope(() => {
          manualSeed(seed);
          const start = random(count);
          const gradients = [1, 2, 3].map(() => random(count));
          const given = gradients.map((gradient) => gradient.toTypedArray("float64"));
          const expected = [...start.toTypedArray("float64")].map((weight, i) =>
            defined(
              weight,
              given.map((values) => values[i]!),
              options,
            ),
          );
          const whole = stepped(start, gradients, options).toTypedArray("float64");
          const single = start.float();
          const singles = gradients.map((gradient) => gradient.float());
          const fused = stepped(single, singles, options).toTypedArray("float32");
          const before = useFusedKernels(false);
          const plain = stepped(single, singles, options).toTypedArray("float32");
          useFusedKernels(before);
          const furthest = (values: ArrayLike<number>): number =>
            expected.reduce((most, value, i) => Math.max(most, Math.abs(values[i]! - value)), 0);
          expect(furthest(whole)).toBeLessThan(1e-12);
          // Three steps of some 0.1 each, with a few float32 roundings (6e-8) of them and of weights below 6.
          expect(furthest(fused)).toBeLessThan(3e-6);
          expect(furthest(plain)).toBeLessThan(3e-6);
        }),
      ),
      { numRuns: 60 },
    );
  });

  test("takes strided tensors, and float64", () => {
    scope(() => {
      const parameter = zeros([3, 2]).t();
      const gradient = fromTypedArray(Float32Array.of(1, -1, 1, -1, 1, -1), [2, 3]);
      noGrad(() => {
        adamwStep_(parameter, zeros([2, 3]), zeros([2, 3]), gradient, { rate: 0.5, steps: 1 });
      });
      // The first step moves by the rate, against the gradient's sign.
      for (const [i, value] of [...parameter.toTypedArray()].entries())
        expect(Number(value)).toBeCloseTo(i % 2 === 0 ? -0.5 : 0.5, 6);
    });
  });

  test.each([
    ["first must have the parameter's shape", () => [zeros([3]), zeros([2]), zeros([3]), zeros([3])], {}],
    [
      "gradient must have the parameter's dtype",
      () => [zeros([3]), zeros([3]), zeros([3]), zeros([3]).double()],
      {},
    ],
    ["steps counts from 1", () => [zeros([3]), zeros([3]), zeros([3]), zeros([3])], { steps: 0 }],
    [
      "betas must be in",
      () => [zeros([3]), zeros([3]), zeros([3]), zeros([3])],
      { betas: [1, 0.9] as const },
    ],
  ] as const)("refuses: %s", (message, tensors, options) => {
    scope(() => {
      const [parameter, first, second, gradient] = tensors() as [Tensor, Tensor, Tensor, Tensor];
      const call = (): void =>
        adamwStep_(parameter, first, second, gradient, { rate: 0.1, steps: 1, ...options });
      expect(call).toThrow(OperatorError);
      expect(call).toThrow(message);
    });
  });
});

describe("adamwStep_ and autograd", () => {
  const sizes = [16, 40_000];

  test.each([true, false])(
    "a backward pass that needs what it overwrote fails, fused kernels: %s",
    (fused) => {
      const before = useFusedKernels(fused);
      try {
        for (const size of sizes)
          for (const written of [0, 1, 2] as const) {
            const tensors = [randn([size]), randn([size]), randn([size]).abs()] as const;
            const other = randn([size], { requiresGrad: true });
            const loss = other.mul(tensors[written]).sum();
            noGrad(() => adamwStep_(...tensors, randn([size]), { rate: 0.1, steps: 1 }));
            expect(() => loss.backward()).toThrow(/modified by an inplace operation/);
          }
      } finally {
        useFusedKernels(before);
      }
    },
  );

  test.each([true, false])("is refused where it would be recorded, fused kernels: %s", (fused) => {
    const before = useFusedKernels(fused);
    try {
      for (const asking of [0, 1, 2, 3]) {
        const tensors = [0, 1, 2, 3].map((i) => zeros([16], { requiresGrad: i === asking }));
        const [parameter, first, second, gradient] = tensors as [Tensor, Tensor, Tensor, Tensor];
        const step = (): void => adamwStep_(parameter, first, second, gradient, { rate: 0.1, steps: 1 });
        expect(step).toThrow(/adamw_step_: has no derivative/);
        noGrad(step);
      }
    } finally {
      useFusedKernels(before);
    }
  });

  test("refuses tensors that share memory", () => {
    const memory = randn([20]);
    const part = (start: number): Tensor => memory.narrow(0, start, 10);
    const step = (parameter: Tensor, first: Tensor): void =>
      adamwStep_(parameter, first, zeros([10]), randn([10]), { rate: 0.1, steps: 1 });
    step(part(0), part(10));
    expect(() => step(part(0), part(5))).toThrow(/single memory location/);
    const moment = zeros([10]);
    expect(() => step(moment, moment)).toThrow(/single memory location/);
  });
});
