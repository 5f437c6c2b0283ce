// What runs on an accelerator, here: libtorch's operators behind the fused ones on the CPU, held to the CPU's kernels; and on
// meta tensors, which have shapes and dtypes alone. On a GPU `devices.test.ts` runs the trials themselves.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { relativeDifference, withoutFusedKernels } from "../../test/support/fused.ts";
import {
  adamwStep_,
  adamwSteps_,
  autocast,
  type DType,
  deviceMemory,
  empty,
  full,
  hasAdamwSteps,
  hasOperator,
  isLibraryWay,
  libtorch,
  manualSeed,
  noGrad,
  ops,
  packedAttention,
  packedAttentionRecalled,
  packedAttentionStatistics,
  packedAttentionWay,
  randn,
  randnLike,
  resetPeakMemory,
  rmsNorm,
  rotaryEmbedding,
  scope,
  siluMul,
  startProfile,
  stopProfile,
  type Tensor,
  tensor,
  totalNorm,
  totalNormTensor,
  tryDevice,
  upload,
  useLibraryWay,
  weightedCrossEntropy,
  zeros,
} from "../index.ts";
import { TRIALS, trialProblem } from "./trial.ts";

function leaf(shape: readonly number[], dtype: DType, device = "cpu"): Tensor {
  const made = (device === "meta" ? empty(shape, { device, dtype }) : randn(shape).to({ dtype })).detach();
  made.requiresGrad = true;
  return made;
}

/** The output of a function and the gradients of its inputs. */
function differentiated(inputs: readonly Tensor[], upstream: Tensor, body: () => Tensor): Tensor[] {
  for (const input of inputs) input.grad = null;
  const output = body();
  output.backward({ gradient: upstream.to({ dtype: output.dtype }) });
  return [output.detach(), ...inputs.map(({ grad }) => grad!)];
}

const operators = ops.promptloss!;

/** By the operator that `rmsNorm` and its kin take on an accelerator, on the CPU. */
function library<T>(
  body: () => T,
  ways: Partial<Record<Parameters<typeof useLibraryWay>[0], boolean>> = {},
): T {
  const before = Object.entries(ways).map(([way, on]) => [way, useLibraryWay(way as never, on)] as const);
  try {
    return withoutFusedKernels(body);
  } finally {
    for (const [way, on] of before) useLibraryWay(way as never, on);
  }
}

/** Roundings to bfloat16's 8 bits, of the result and on the way; of float32 sums of some hundred numbers. */
const TOLERANCE: Partial<Record<DType, number>> = { bfloat16: 2 ** -6, float32: 1e-5 };

describe("by libtorch's operators", () => {
  test("RMS norms are the kernel's", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<[DType, DType]>(
          ["float32", "float32"],
          ["bfloat16", "bfloat16"],
          ["bfloat16", "float32"],
        ),
        fc.constantFrom(0, 1),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        fc.nat(1e6),
        ([input, weight], offset, rows, mixed, seed) =>
          scope(() => {
            manualSeed(seed);
            const inputs = [leaf([rows, 48], input), leaf([48], weight)] as const;
            const upstream = randn([rows, 48]).bfloat16();
            const body = (): Tensor => operators.rms_norm!(...inputs, 1e-5, offset) as Tensor;
            const run = (): Tensor => (mixed ? autocast({ dtype: "bfloat16" }, body) : body());
            const wanted = differentiated(inputs, upstream, run);
            const found = library(() => differentiated(inputs, upstream, run));
            for (const [i, each] of found.entries()) {
              expect(each.dtype).toBe(wanted[i]!.dtype);
              const narrow = [each.dtype, input, mixed && "bfloat16"].includes("bfloat16");
              expect(relativeDifference(each, wanted[i]!)).toBeLessThan(
                TOLERANCE[narrow ? "bfloat16" : "float32"]!,
              );
            }
          }),
      ),
      { numRuns: 30 },
    );
  });

  function rotaryPositionsAndGates(dtype: DType): void {
    scope(() => {
      manualSeed(3);
      const angles = randn([9, 1, 12]);
      const [cos, sin] = [angles.cos(), angles.sin()];
      // Of 32 elements 24 are turned.
      const turned = [leaf([9, 3, 32], dtype)];
      const turn = (): Tensor => operators.rotary_embedding!(turned[0]!, cos, sin) as Tensor;
      const gates = [leaf([5, 48], dtype), leaf([5, 48], dtype)] as const;
      const gate = (): Tensor => operators.silu_mul!(...gates) as Tensor;
      for (const [inputs, body] of [
        [turned, turn],
        [gates, gate],
      ] as const) {
        const upstream = randnLike(inputs[0]!);
        const wanted = differentiated(inputs, upstream, body);
        for (const [i, each] of library(() => differentiated(inputs, upstream, body)).entries())
          expect(relativeDifference(each, wanted[i]!)).toBeLessThan(TOLERANCE[dtype]!);
      }
    });
  }

  test("rotary positions and gates are the kernels', float32", () => rotaryPositionsAndGates("float32"));
  needs("libtorch2", !libtorch().version.startsWith("1.")).test(
    "rotary positions and gates are the kernels', bfloat16",
    () => rotaryPositionsAndGates("bfloat16"),
  );

  test("a way that is refused, or whose numbers differ, is told and left", () => {
    const way = "foreach norm";
    const wrong = {
      way,
      operator: "aten::add.Tensor",
      run: () => [[tensor([1, 2]), tensor([1, 3]), 0.1]] as const,
    } as const;
    expect(trialProblem(wrong, "cpu")).toMatch(/differ from plain operators' by 1/);
    const refused = {
      ...wrong,
      run: () => [[tensor([1]).add(tensor([1, 2]).narrow(0, 0, 3)), tensor([1]), 0]] as never,
    };
    expect(trialProblem(refused, "cpu")).toMatch(/narrow|size|length/);
    const none = { ...wrong, run: () => [[tensor([Number.NaN]), tensor([1]), 0.1]] as const } as const;
    expect(trialProblem(none, "cpu")).toMatch(/NaN/);
    expect([tryDevice("cpu"), tryDevice("meta")]).toEqual([[], []]);
    expect(isLibraryWay(way)).toBe(true);
    expect(() => useLibraryWay("no such way" as never, true)).toThrow(/no way "no such way"/);
  });

  test.each(
    TRIALS.filter(({ way }) => !way.includes("attention")).map((trial) => [trial.way, trial] as const),
  )("the trial of %s passes where it should", (_, trial) => {
    if (!["aten::mm.dtype_out"].includes(trial.operator) && !hasOperator(trial.operator)) return;
    // TypeScript's own choice is by device: what the operators do elsewhere they do here without kernels.
    expect(library(() => trialProblem(trial, "cpu"))).toBeUndefined();
  });
});

describe("attention's statistics", () => {
  test.each<DType>(["float32", "bfloat16"])(
    "recalled, %s: the same output and gradients, without attending",
    (dtype) => {
      scope(() => {
        manualSeed(4);
        const inputs = [leaf([9, 4, 32], dtype), leaf([9, 2, 32], dtype), leaf([9, 2, 32], dtype)] as const;
        const upstream = randnLike(inputs[0]).to({ dtype });
        const [starts, settings] = [[0, 4, 9], { scale: 0.2, window: 3 }];
        const wanted = differentiated(inputs, upstream, () => packedAttention(...inputs, starts, settings));
        const known = packedAttentionStatistics(...inputs, starts, settings);
        expect(known.map(({ requiresGrad }) => requiresGrad)).not.toContain(true);
        const found = differentiated(inputs, upstream, () =>
          packedAttentionRecalled(...inputs, known, starts, settings),
        );
        expect(found.map((each) => each.toTypedArray())).toEqual(wanted.map((each) => each.toTypedArray()));
        expect(() => packedAttentionRecalled(...inputs, known.slice(0, 1), starts, settings)).toThrow(
          /known must be/,
        );
      });
    },
  );

  test("places must be the starts", () => {
    const input = randn([4, 2, 16]);
    const call = (places: Tensor) => () => packedAttention(input, input, input, [0, 4], { places });
    expect(call(tensor([0, 4], { dtype: "int32" }))().shape).toEqual([4, 2, 16]);
    expect(call(tensor([0, 4]))).toThrow(/places must be starts as int32/);
    expect(call(tensor([0, 2, 4], { dtype: "int32" }))).toThrow(/places must be/);
  });
});

describe("on meta tensors, without values", () => {
  const device = "meta";
  const flash = hasOperator("aten::_flash_attention_forward");

  test("what attends", () => {
    const like = (dtype: DType): Tensor => empty([1], { device, dtype });
    const expected = flash ? "flash attention" : undefined;
    expect(packedAttentionWay(like("bfloat16"), 64)).toBe(expected);
    expect(packedAttentionWay(like("float32"), 64)).toBe(flash ? "memory-efficient attention" : undefined);
    expect(packedAttentionWay(like("bfloat16"), 320)).toBe(flash ? "memory-efficient attention" : undefined);
    expect(packedAttentionWay(like("bfloat16"), 20)).toBeUndefined();
    expect(packedAttentionWay(like("float64"), 64)).toBeUndefined();
    expect(packedAttentionWay(empty([1]), 64)).toBe("kernel");
    if (flash)
      expect(library(() => packedAttentionWay(like("bfloat16"), 64), { "flash attention": false })).toBe(
        "memory-efficient attention",
      );
  });

  test.skipIf(!flash).each<[DType, number]>([
    ["bfloat16", 0],
    ["bfloat16", 3],
    ["float32", 0],
    ["float32", 3],
  ])("attention: %s, window %i", (dtype, window) => {
    scope(() => {
      const inputs = [
        leaf([9, 4, 64], dtype, device),
        leaf([9, 2, 64], dtype, device),
        leaf([9, 2, 64], dtype, device),
      ] as const;
      const places = empty([3], { device, dtype: "int32" });
      const settings = { scale: 0.1, window, places };
      const upstream = empty([9, 4, 64], { device });
      const call = () => packedAttention(...inputs, [0, 4, 9], settings);
      for (const each of [
        call,
        () =>
          packedAttentionRecalled(
            ...inputs,
            noGrad(() => packedAttentionStatistics(...inputs, [0, 4, 9], settings)),
            [0, 4, 9],
            settings,
          ),
      ])
        expect(
          differentiated(inputs, upstream, each).map(({ shape, dtype: own, device: where }) => [
            shape,
            own,
            where,
          ]),
        ).toEqual(
          [
            [9, 4, 64],
            [9, 4, 64],
            [9, 2, 64],
            [9, 2, 64],
          ].map((shape) => [shape, dtype, device]),
        );
    });
  });

  test("norms, rotary positions, gates", () => {
    scope(() => {
      const [x, weight] = [leaf([7, 64], "bfloat16", device), leaf([64], "float32", device)];
      const upstream = empty([7, 64], { device });
      const facts = (all: readonly Tensor[]) => all.map(({ shape, dtype }) => [shape, dtype]);
      expect(facts(differentiated([x, weight], upstream, () => rmsNorm(x, weight)))).toEqual([
        [[7, 64], "float32"],
        [[7, 64], "bfloat16"],
        [[64], "float32"],
      ]);
      const heads = leaf([7, 2, 32], "bfloat16", device);
      const table = empty([7, 1, 16], { device });
      expect(
        facts(
          differentiated([heads], empty([7, 2, 32], { device }), () => rotaryEmbedding(heads, table, table)),
        ),
      ).toEqual([
        [[7, 2, 32], "bfloat16"],
        [[7, 2, 32], "bfloat16"],
      ]);
      expect(facts(differentiated([x], upstream, () => siluMul(x, x.detach())))).toEqual([
        [[7, 64], "bfloat16"],
        [[7, 64], "bfloat16"],
      ]);
    });
  });

  test("the weighted cross entropy", () => {
    scope(() => {
      const [hidden, head] = [leaf([9, 64], "bfloat16", device), leaf([320, 64], "bfloat16", device)];
      const targets = empty([9], { device, dtype: "int64" });
      const { loss, tokenLosses, tokenCorrect } = weightedCrossEntropy(
        hidden,
        head,
        targets,
        empty([9], { device }),
        {
          ...{ reduction: "sum", trusted: true, chunkSize: 2, labelSmoothing: 0.1, logitSoftcap: 30 },
        },
      );
      loss.backward();
      expect([loss.shape, loss.dtype]).toEqual([[], "float32"]);
      expect([tokenLosses.shape, tokenCorrect.dtype]).toEqual([[9], "bool"]);
      expect([hidden.grad!.shape, hidden.grad!.dtype]).toEqual([[9, 64], "bfloat16"]);
      expect([head.grad!.shape, head.grad!.dtype]).toEqual([[320, 64], "bfloat16"]);
    });
  });
});

describe("a trusted weighted cross entropy", () => {
  interface Case {
    readonly tokens: number;
    readonly seed: number;
    readonly labelSmoothing: number;
    readonly logitSoftcap: number;
    readonly bias: boolean;
    readonly reduction: "mean" | "sum";
    readonly chunkSize: number;
    readonly dtype: "float32" | "bfloat16";
  }
  const cases = fc.record<Case>({
    tokens: fc.integer({ min: 2, max: 40 }),
    seed: fc.nat(1e6),
    labelSmoothing: fc.constantFrom(0, 0.1),
    logitSoftcap: fc.constantFrom(0, 5),
    bias: fc.boolean(),
    reduction: fc.constantFrom("mean", "sum"),
    chunkSize: fc.constantFrom(0, 3),
    dtype: fc.constantFrom("float32", "bfloat16"),
  });

  function run(
    { tokens, seed, bias: biased, dtype, ...options }: Case,
    trusted: boolean,
    inPlace: () => boolean,
  ) {
    manualSeed(seed);
    const [hidden, head] = [leaf([tokens, 32], dtype), leaf([50, 32], dtype)];
    const bias = biased ? leaf([50], dtype) : null;
    const targets = BigInt64Array.from({ length: tokens }, (_, i) =>
      i % 5 === 4 ? -100n : BigInt((7 * i) % 50),
    );
    // The first counts in every case.
    const weights = Float32Array.from({ length: tokens }, (_, i) => [1, 0, 0.25][i % 3]!);
    const counting = [...targets.keys()].filter((i) => weights[i]! > 0 && targets[i]! >= 0);
    const places = BigInt64Array.from(counting, BigInt);
    const [wanted, by, at] = upload([targets, weights, places], "cpu") as [Tensor, Tensor, Tensor];
    const trust = trusted ? { trusted, places: inPlace() ? at : undefined } : {};
    const found = weightedCrossEntropy(hidden, head, wanted, by, { ...options, bias, ...trust });
    found.loss.backward();
    return [
      found.loss.detach(),
      found.tokenLosses,
      found.tokenCorrect.to({ dtype: "float32" }),
      hidden.grad!,
      head.grad!,
      ...(bias ? [bias.grad!] : []),
    ];
  }

  test("gives the same bits on the CPU", () => {
    fc.assert(
      fc.property(cases, (each) =>
        scope(() => {
          const bits = (all: readonly Tensor[]) => all.map((one) => one.toTypedArray());
          expect(bits(run(each, true, () => true))).toEqual(bits(run(each, false, () => true)));
        }),
      ),
      { numRuns: 20 },
    );
  });

  test("gives the same to rounding on the accelerator's way, and reads nothing back", () => {
    fc.assert(
      fc.property(cases, (each) =>
        scope(() => {
          const wanted = run(each, false, () => true);
          startProfile();
          const found = withoutFusedKernels(() => run(each, true, () => true));
          const { events } = stopProfile();
          const reads = events.filter(({ name }) => READS.has(name) && name !== "aten::item");
          // On the CPU a backward pass looks at the gradient of the loss.
          expect(reads.length).toBeLessThanOrEqual(1);
          for (const [i, one] of found.entries())
            expect(relativeDifference(one, wanted[i]!), `result ${i}`).toBeLessThan(TOLERANCE[each.dtype]!);
        }),
      ),
      { numRuns: 30 },
    );
  });

  test("refuses places that are no list of places, or where nobody vouches", () => {
    const [hidden, head] = [randn([3, 16]), randn([5, 16])];
    const [targets, weights] = [zeros([3], { dtype: "int64" }), full([3], 1)];
    const call = (options: object) => () => weightedCrossEntropy(hidden, head, targets, weights, options);
    expect(call({ places: targets })).toThrow(/read only where trusted/);
    expect(call({ trusted: true, places: weights })).toThrow(/places must be int64/);
  });
});

/** Operators that wait for a device and bring something back from it. */
const READS = new Set(["aten::_local_scalar_dense", "aten::nonzero", "aten::item"]);

describe("a step of the optimizer", () => {
  test.skipIf(!hasAdamwSteps())("on many tensors is that on each, or nothing", () => {
    noGrad(() =>
      scope(() => {
        manualSeed(6);
        const shapes = [[5, 3], [7], [2, 2, 2]];
        const drawn = () =>
          shapes.map((shape) => [randn(shape), zeros(shape), zeros(shape), randn(shape)] as const);
        const own = drawn();
        const copies = own.map((tensors) => tensors.map((each) => each.clone()));
        const settings = { rate: 0.01, betas: [0.9, 0.95] as const, epsilon: 1e-8, weightDecay: 0.1 };
        const column = (place: 0 | 1 | 2 | 3) => own.map((tensors) => tensors[place]);
        const step = (steps: number, skip: number) =>
          adamwSteps_(column(0), column(1), column(2), column(3), {
            ...settings,
            ...{
              steps: full([], steps),
              gradientDivisor: full([], steps === 1 ? 4 : 1),
              skip: full([], skip),
            },
          });
        step(1, 0);
        // Gradients are left divided.
        step(2, 0);
        for (const [parameter, first, second, gradient] of copies) {
          adamwStep_(parameter!, first!, second!, gradient!, { ...settings, steps: 1, gradientScale: 0.25 });
          adamwStep_(parameter!, first!, second!, gradient!, { ...settings, steps: 2, gradientScale: 0.25 });
        }
        const differences = () =>
          own.flatMap((tensors, i) =>
            tensors.slice(0, 3).map((each, j) => relativeDifference(each, copies[i]![j]!)),
          );
        expect(Math.max(...differences())).toBeLessThan(1e-6);
        step(3, 1);
        expect(Math.max(...differences())).toBeLessThan(1e-6);
      }),
    );
  });

  test("a norm that stays on the device is the one that is read", () => {
    scope(() => {
      const tensors = [randn([50, 3]), randn([7]).bfloat16()];
      expect(totalNormTensor(tensors, "cpu").item()).toBeCloseTo(totalNorm(tensors), 2);
      expect(totalNormTensor([randn([50, 3])], "cpu").dtype).toBe("float32");
      expect(totalNormTensor([], "cpu").item()).toBe(0);
      expect(Number.isNaN(totalNormTensor([tensor([1, Number.NaN])], "cpu").item())).toBe(true);
    });
  });
});

test("typed arrays go to a device together", () => {
  const [numbers, places] = upload([Float32Array.of(1, 2.5), BigInt64Array.of(7n)], "cpu") as [
    Tensor,
    Tensor,
  ];
  expect([numbers.toArray(), places.dtype, places.item("int64")]).toEqual([[1, 2.5], "int64", 7n]);
  const meta = upload([Float32Array.of(1, 2.5), Int32Array.of(7)], "meta");
  expect(meta.map(({ shape, dtype, device }) => [shape, dtype, device])).toEqual([
    [[2], "float32", "meta"],
    [[1], "int32", "meta"],
  ]);
  expect(deviceMemory("cpu")).toBeUndefined();
  expect(() => resetPeakMemory("cpu")).not.toThrow();
});
