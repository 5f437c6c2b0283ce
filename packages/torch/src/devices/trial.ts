// Before a process computes on an accelerator: tries each of libtorch's operators that the fused ones take there on a few
// numbers, against plain operators on the CPU. What is refused or differs is left, with a note. So a card, a driver or a
// version that nobody tried costs speed and never wrong numbers.

import { noGrad } from "../autograd/modes.ts";
import { hasOperator } from "../dispatcher.ts";
import type { DType } from "../dtype.ts";
import * as f from "../functions/index.ts";
import { type LibraryWay, useLibraryWay } from "../functions/library-ways.ts";
import { availableDevices } from "../runtime.ts";
import { scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";

/** A few roundings of bfloat16, whose step is 2^-8. */
const HALF = 2 ** -5;
/** Sums of some dozen float32 numbers in any order, and products in TensorFloat-32, whose step is 2^-11. */
const SINGLE = 2 ** -8;

interface Trial {
  readonly way: LibraryWay;
  /** The operator without which there is nothing to try. */
  readonly operator: string;
  /** What is compared, and what it must be. */
  readonly run: (device: string) => readonly (readonly [found: Tensor, wanted: Tensor, tolerance: number])[];
}

const notes = new Map<string, readonly string[]>();

/**
 * Tries a device once in a process, and switches off what does not serve there.
 * @returns what was switched off and why; nothing for the CPU
 */
export function tryDevice(device: string): readonly string[] {
  if (device === "cpu" || !availableDevices().includes(device)) return [];
  let found = notes.get(device);
  if (found === undefined) {
    found = TRIALS.filter(({ operator }) => hasOperator(operator)).flatMap((trial) =>
      problemOf(trial, device),
    );
    notes.set(device, found);
  }
  return found;
}

function problemOf(trial: Trial, device: string): string[] {
  const problem = trialProblem(trial, device);
  if (problem === undefined) return [];
  useLibraryWay(trial.way, false);
  return [`${trial.way} is left on ${device}, plain operators serve: ${problem}`];
}

/** @internal Why a way does not serve on a device; undefined where it does. */
export function trialProblem({ run }: Trial, device: string): string | undefined {
  try {
    return scope(() => {
      for (const [found, wanted, tolerance] of run(device)) {
        const [own, right] = [found, wanted].map((each) =>
          each.detach().to({ device: "cpu", dtype: "float64" }),
        );
        const difference = own!.sub(right!).abs().amax().item();
        const size = Math.max(1e-3, right!.abs().amax().item());
        if (!(difference <= tolerance * size))
          return `its numbers differ from plain operators' by ${difference.toPrecision(2)}, of ${size.toPrecision(2)}`;
      }
      return undefined;
    });
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

/** Numbers of −1 to 1 that are the same every time, and no random generator's. */
function numbers(shape: readonly number[], seed: number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * (1.1 + seed) + seed));
  // Of 8 bits, so that they are the same numbers in bfloat16.
  return f.fromTypedArray(values, shape).bfloat16().float();
}

function leafOn(device: string, dtype: DType, values: Tensor): Tensor {
  const leaf = values.to({ device, dtype, copy: true }).detach();
  leaf.requiresGrad = true;
  return leaf;
}

const STARTS = [0, 3, 8];

function attention(way: LibraryWay, dtype: DType, window: number): Trial {
  const width = 64;
  const [query, key, value] = [
    [8, 4, width],
    [8, 2, width],
    [8, 2, width],
  ] as const;
  return {
    way,
    operator: way.startsWith("flash")
      ? "aten::_flash_attention_forward"
      : "aten::_efficient_attention_forward",
    run: (device) => {
      const values = [query, key, value].map((shape, i) => numbers(shape, i));
      const upstream = numbers(query, 3);
      const own = values.map((each) => leafOn(device, dtype, each));
      const like = f.empty([1], { device, dtype });
      // Another way than the one on trial is no answer.
      if (f.packedAttentionWay(like, width, window) !== way.replace(" with a window", "")) return [];
      const settings = { scale: 1 / 8, window };
      const output = f.packedAttention(own[0]!, own[1]!, own[2]!, STARTS, settings);
      output.mul(upstream.to({ device, dtype })).sum().backward();
      const right = values.map((each) => leafOn("cpu", "float32", each));
      const plain = plainPacked(right, window);
      plain.mul(upstream).sum().backward();
      return [[output, plain, HALF], ...own.map((each, i) => [each.grad!, right[i]!.grad!, HALF] as const)];
    },
  };
}

/** Packed attention in plain operators. */
function plainPacked([query, key, value]: readonly Tensor[], window: number): Tensor {
  const outputs = STARTS.slice(0, -1).map((start, i) => {
    const length = STARTS[i + 1]! - start;
    const rows = (all: Tensor): Tensor => all.narrow(0, start, length).transpose(0, 1);
    const repeated = (all: Tensor): Tensor =>
      f.cat(
        [0, 0, 1, 1].map((head) => rows(all).narrow(0, head, 1)),
        0,
      );
    const at = f.arange(0, length);
    const back = at.unsqueeze(1).sub(at.unsqueeze(0));
    const seen = back.ge(0);
    const mask = window === 0 ? seen : seen.logicalAnd(back.lt(window));
    const scores = rows(query!).matmul(repeated(key!).transpose(1, 2)).div(8);
    const weights = scores.maskedFill(mask.logicalNot(), Number.NEGATIVE_INFINITY).softmax(-1);
    return weights.matmul(repeated(value!)).transpose(0, 1);
  });
  return f.cat(outputs, 0);
}

function norms(dtype: DType): Trial["run"] {
  return (device) => {
    const [input, weight, upstream] = [numbers([6, 64], 1), numbers([64], 2), numbers([6, 64], 3)];
    const compute = (where: string, as: DType): Tensor[] => {
      const [x, w] = [leafOn(where, as, input), leafOn(where, as, weight)];
      const y = f.rmsNorm(x, w, { eps: 1e-5 });
      y.mul(upstream.to({ device: where, dtype: as }))
        .sum()
        .backward();
      return [y, x.grad!, w.grad!];
    };
    const wanted = compute("cpu", "float32");
    const tolerance = dtype === "float32" ? SINGLE : HALF;
    return compute(device, dtype).map((found, i) => [found, wanted[i]!, tolerance] as const);
  };
}

/** Weights of two kinds, tokens that are left out, and a head whose gradient is added up over chunks. */
function loss(device: string): ReturnType<Trial["run"]> {
  const [states, table] = [numbers([7, 64], 1), numbers([40, 64], 2)];
  const targets = BigInt64Array.from([3n, 39n, 0n, 5n, 5n, 17n, 2n]);
  const weights = Float32Array.of(1, 0.5, 0, 1, 0.25, 1, 0);
  const places = BigInt64Array.from([0n, 1n, 3n, 4n, 5n]);
  const compute = (where: string, as: DType): Tensor[] => {
    const [hidden, head] = [leafOn(where, as, states), leafOn(where, as, table)];
    const [wanted, by, at] = f.upload([targets, weights, places], where) as [Tensor, Tensor, Tensor];
    const options = { reduction: "sum", chunkSize: 3 } as const;
    const trusted = where === "cpu" ? {} : { trusted: true, places: at };
    const { loss } = f.weightedCrossEntropy(hidden, head, wanted, by, { ...options, ...trusted });
    loss.backward();
    return [loss, hidden.grad!, head.grad!];
  };
  const wanted = compute("cpu", "float32");
  return compute(device, "bfloat16").map((found, i) => [found, wanted[i]!, HALF] as const);
}

function steps(device: string): ReturnType<Trial["run"]> {
  const [weights, slopes] = [numbers([5, 7], 1), numbers([5, 7], 2)];
  return noGrad(() => {
    const settings = { rate: 0.1, betas: [0.9, 0.99] as const, epsilon: 1e-6, weightDecay: 0.1 };
    const made = (where: string): [Tensor, Tensor, Tensor, Tensor] => [
      weights.to({ device: where, copy: true }),
      f.zeros([5, 7], { device: where }),
      f.zeros([5, 7], { device: where }),
      slopes.to({ device: where, copy: true }),
    ];
    const number = (value: number): Tensor => f.full([], value, { device });
    const [own, still, right] = [made(device), made(device), made("cpu")];
    for (const [tensors, skip] of [
      [own, 0],
      [still, 1],
    ] as const) {
      const [parameter, first, second, gradient] = tensors;
      f.adamwSteps_([parameter], [first], [second], [gradient], {
        ...settings,
        ...{ steps: number(1), gradientDivisor: number(2), skip: number(skip) },
      });
    }
    f.adamwStep_(...right, { ...settings, steps: 1, gradientScale: 0.5 });
    return [
      [own[0], right[0], SINGLE],
      [own[1], right[1], SINGLE],
      [own[2], right[2], SINGLE],
      [still[0], weights, 0],
    ];
  });
}

function totals(device: string): ReturnType<Trial["run"]> {
  const tensors = [numbers([5, 7], 1), numbers([9], 2)];
  const wanted = f.full([], f.totalNorm(tensors));
  return [
    [
      f.totalNormTensor(
        tensors.map((each) => each.to({ device })),
        device,
      ),
      wanted,
      SINGLE,
    ],
  ];
}

/** @internal */
export const TRIALS: readonly Trial[] = [
  attention("flash attention", "bfloat16", 0),
  attention("flash attention with a window", "bfloat16", 2),
  attention("memory-efficient attention", "float32", 0),
  attention("memory-efficient attention with a window", "float32", 2),
  { way: "fused RMS norm", operator: "aten::_fused_rms_norm", run: norms("float32") },
  { way: "fused RMS norm", operator: "aten::_fused_rms_norm", run: norms("bfloat16") },
  { way: "wide products", operator: "aten::mm.dtype_out", run: loss },
  { way: "fused AdamW", operator: "aten::_fused_adamw_", run: steps },
  { way: "foreach norm", operator: "aten::_foreach_norm.Scalar", run: totals },
];
