// Every function of src/functions against what PyTorch answers (test/python/operators.py made the goldens): elements,
// shapes, dtypes and gradients. Random functions have properties instead (random.test.ts).
import { describe, expect, test } from "vitest";
import * as functions from "../src/functions/index.ts";
import * as torch from "../src/index.ts";
import { grad, libtorch, scope, Tensor } from "../src/index.ts";
import { onEachDevice } from "./support/devices.ts";
import { build, difference, type GoldenTensor, parseNumber, readGoldens } from "./support/goldens.ts";

interface Case {
  readonly function: string;
  readonly python: string;
  readonly arguments: readonly unknown[];
  readonly tolerance?: number;
  readonly inputs: Record<string, GoldenTensor>;
  readonly returns?: boolean;
  readonly outputs?: readonly GoldenTensor[];
  readonly directions?: readonly (GoldenTensor | null)[];
  readonly gradients?: Record<string, GoldenTensor | null>;
}

const { cases } = readGoldens<{ cases: Case[] }>("operators");
const exported = torch as unknown as Record<string, (...args: unknown[]) => unknown>;

/** Without a fixed answer, uninitialized memory and random numbers; and the fused operators, which have tests of their own. */
const withoutGoldens = new Set(
  "empty emptyLike range rand randn randLike randnLike randint randperm multinomial bernoulli uniform_ normal_ weightedCrossEntropy packedAttention packedAttentionStatistics packedAttentionRecalled packedAttentionWay cachedAttention rotaryEmbedding siluMul tiedEmbedding totalNorm totalNormTensor adamwStep_ adamwSteps_ hasAdamwSteps upload deviceMemory resetPeakMemory isLibraryWay useLibraryWay blockLinear expandBlocks quantizeBlocks useFusedKernels fusedKernels".split(
    " ",
  ),
);

const typedArrays = { Float64Array, Float32Array, Uint16Array, Uint8Array } as const;

/** "$a" → the tensor a, "NaN" → NaN, { range: … } → a range, and so on inside arrays and options. */
function argument(value: unknown, tensors: Record<string, Tensor>): unknown {
  if (typeof value === "string") {
    if (value.startsWith("$")) return tensors[value.slice(1)];
    return /^(-?Infinity|NaN|-?\d+n)$/.test(value) ? parseNumber(value) : value;
  }
  if (Array.isArray(value)) return value.map((each) => argument(each, tensors));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [key, content] = entries[0] ?? [];
  if (key === "range") return torch.range(...(content as [number | null, number | null, number]));
  if (key !== undefined && key in typedArrays)
    return typedArrays[key as keyof typeof typedArrays].from(content as number[]);
  return Object.fromEntries(entries.map(([name, each]) => [name, argument(each, tensors)]));
}

function check(golden: Case, device: string): void {
  const tensors = Object.fromEntries(
    Object.entries(golden.inputs).map(([name, input]) => [name, on(device, build(input))]),
  );
  const leaves = Object.keys(golden.gradients ?? {});
  for (const name of leaves) (tensors[name] as Tensor).requiresGrad = true;
  const args = golden.arguments.map((each) => argument(each, tensors));
  const result = (exported[golden.function] as (typeof exported)[string])(...args);
  if (golden.returns !== undefined) {
    expect(result).toBe(golden.returns);
    return;
  }
  // What writes to a list of tensors returns nothing: the list is looked at.
  const outputs = (result === undefined ? args[0] : result instanceof Tensor ? [result] : result) as Tensor[];
  expect(outputs).toHaveLength(golden.outputs?.length as number);
  golden.outputs?.forEach((output, i) => {
    expect(difference(outputs[i] as Tensor, output, golden.tolerance), `output ${i}`).toBeUndefined();
    // A function that writes in place gives back the tensor that it wrote to.
    if (golden.function.endsWith("_") && result !== undefined) expect(outputs[0]).toBe(args[0]);
  });
  const { directions, gradients } = golden;
  if (directions === undefined || gradients === undefined) return;
  const used = outputs.flatMap((output, i) =>
    directions[i] === null ? [] : [[output, directions[i]] as const],
  );
  const found = grad(
    used.map(([output]) => output),
    leaves.map((name) => tensors[name] as Tensor),
    {
      gradients: used.map(([, direction]) => on(device, build(direction as GoldenTensor))),
      allowUnused: true,
    },
  );
  leaves.forEach((name, i) => {
    const [gradient, wanted] = [found[i] as Tensor | null, gradients[name] as GoldenTensor | null];
    if (wanted === null || gradient === null) expect([name, gradient]).toEqual([name, wanted]);
    else expect(difference(gradient, wanted, golden.tolerance), `gradient of ${name}`).toBeUndefined();
  });
}

/** A tensor on a device; the same tensor on the CPU, whose layout a copy would lose. */
function on(device: string, tensor: Tensor): Tensor {
  return device === "cpu" ? tensor : tensor.to({ device });
}

const groups = groupByFunction();

function groupByFunction(): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const each of cases) groups.set(each.function, [...(groups.get(each.function) ?? []), each]);
  return groups;
}

describe(`the typed operators on libtorch ${libtorch().version}`, () => {
  test("all have goldens", () => {
    const without = Object.entries(functions)
      .filter(
        ([name, value]) => typeof value === "function" && !withoutGoldens.has(name) && !groups.has(name),
      )
      .map(([name]) => name);
    expect(without).toEqual([]);
  });

  // An accelerator's sums are in another order still, and its products may keep fewer bits.
  onEachDevice((device) => {
    describe.each([...groups.keys()])("%s", (name) => {
      test.each((groups.get(name) ?? []).map((each, i) => [`${each.python} (${i})`, each] as const))(
        "%s",
        (_, golden) => {
          scope(() => check(golden, device));
        },
      );
    });
  });
});
