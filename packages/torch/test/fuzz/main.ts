// The fuzz itself: `node ../support/typescript.mjs main.ts <seed> <first call> <last call> [trace file]`.
// Before each call its text goes to the trace file, so that what a crash interrupted can be read there. Ends with
// status 1 at the first call that throws anything but a TorchError, leaks a tensor, or gives elements that can't be
// read.
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import * as torch from "../../src/index.ts";
import { tensorsIn } from "../../src/scope.ts";
import { argument, type Made } from "./arguments.ts";
import { memberSignatures, operatorSignatures, otherSignatures } from "./signatures.ts";
import { type Source, sourceOf } from "./source.ts";
import { floats, themeOf } from "./tensors.ts";

const [seed = 1, first = 0, last = 1000] = process.argv.slice(2, 5).map(Number);
const trace = process.argv[5] === undefined ? undefined : openSync(process.argv[5], "w");

/** Above this many elements a result is only looked at from outside: expand([2 ** 53]) is a legitimate view. */
const readable = 100_000;

interface Target {
  readonly name: string;
  readonly signature: string;
  call(args: unknown[]): unknown;
}

const exported = torch as unknown as Record<string, (...args: unknown[]) => unknown>;
const prototype = torch.Tensor.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;

function asFunction([name, signature]: [string, string]): Target {
  return { name, signature, call: (args) => (exported[name] as (typeof exported)[string])(...args) };
}

/** The same as a method, on whatever the first argument is. */
function asMethod([name, signature]: [string, string]): Target {
  return {
    name: `Tensor.${name}`,
    signature,
    call: ([self, ...rest]) => (prototype[name] as (typeof prototype)[string]).apply(self, rest),
  };
}

function asMember([name, signature]: [string, string]): Target {
  return {
    name: `Tensor.${name}`,
    signature,
    call([self, ...rest]) {
      // Members that the class itself defines check who `this` is; a stranger is JavaScript's own TypeError.
      if (!(self instanceof torch.Tensor)) return undefined;
      const member = self as unknown as Record<string, unknown>;
      if (rest.length > 0 && Object.getOwnPropertyDescriptor(prototype, name)?.set !== undefined) {
        member[name] = rest[0];
        return undefined;
      }
      return typeof member[name] === "function"
        ? (member[name] as (...args: unknown[]) => unknown)(...rest)
        : undefined;
    },
  };
}

/** Calls whose arguments must be made of each other to get anywhere. */
const composites: readonly Target[] = [
  {
    name: "grad of mul",
    signature:
      "float[mk] float[mk] {gradients:tensors,retainGraph:boolean,createGraph:boolean,allowUnused:boolean}",
    call([x, y, options]) {
      for (const leaf of [x, y] as torch.Tensor[]) leaf.requiresGrad = true;
      const inputs = [x, y] as torch.Tensor[];
      return torch.grad(
        [torch.mul(...(inputs as [torch.Tensor, torch.Tensor])).sum()],
        inputs,
        options as object,
      );
    },
  },
  {
    name: "gradcheck of square",
    signature: "float[mk] {eps:number,atol:number,rtol:number}",
    call([x, options]) {
      const leaf = torch.double(torch.detach(x as torch.Tensor));
      leaf.requiresGrad = true;
      torch.gradcheck((value) => torch.mul(value, value), [leaf], options as object);
    },
  },
  {
    name: "a custom function",
    signature: "float[mk] tensorOrScalar tensorOrScalar",
    call([x, forward, backward]) {
      (x as torch.Tensor).requiresGrad = true;
      const f = torch.customFunction({
        name: "fuzzed",
        forward(context, input: torch.Tensor) {
          context.saveForBackward(input);
          return torch.mul(input, forward as torch.Tensor);
        },
        // At times a number, or a gradient of another shape: what a wrong definition returns.
        backward: () => [backward as torch.Tensor],
      });
      return torch.grad([f(x as torch.Tensor).sum()], [x as torch.Tensor]);
    },
  },
];

const methods = Object.entries({
  ...operatorSignatures,
  backward: otherSignatures.backward as string,
}).filter(([name, signature]) => !signature.startsWith("{") && Object.hasOwn(prototype, name));
const targets: readonly Target[] = [
  ...Object.entries({ ...operatorSignatures, ...otherSignatures }).map(asFunction),
  ...methods.map(asMethod),
  ...Object.entries(memberSignatures).map(asMember),
  ...composites,
];

/**
 * A call may throw the package's own errors, and JavaScript's TypeError where an argument is of a plainly wrong
 * JavaScript type: no function where one is to be called, null where options are taken apart, no array for a list.
 */
function isAnswer(error: unknown): boolean {
  return error instanceof torch.TorchError || error instanceof TypeError;
}

/** Reads what came back, all of it: a result whose memory is not its own shows here. */
function examine(result: unknown, source: Source): void {
  for (const tensor of tensorsIn(result)) {
    if (tensor.isFreed) continue;
    void [tensor.shape, tensor.strides, tensor.dtype, tensor.requiresGrad, tensor.gradFn];
    if (source.chance(0.3)) tensor.toString();
    if (tensor.numel > readable || tensor.device !== "cpu" || tensor.dtype.startsWith("complex")) continue;
    tensor.toTypedArray();
    if (source.chance(0.3) && floats.includes(tensor.dtype) && tensor.requiresGrad) tensor.sum().backward();
  }
}

function makeCall(number: number): { target: Target; args: Made[]; source: Source } {
  const source = sourceOf(seed, number);
  const target = source.pick(targets);
  const theme = themeOf(source);
  const kinds = target.signature === "" ? [] : target.signature.split(" ");
  const given = source.chance(0.9) ? kinds.length : source.int(0, kinds.length + 1);
  const misfit = source.pick([0, 0, 0, 0.15, 0.5]);
  const args = Array.from({ length: given }, (_, i) =>
    argument(source, theme, kinds[i] ?? "anything", misfit),
  );
  return { target, args, source };
}

const counts = { calls: 0, returned: 0, threw: 0 };
const returnedBy = new Set<string>();

function run(number: number): void {
  let described = `call ${number} of seed ${seed}: not made yet`;
  try {
    torch.scope(() => {
      const { target, args, source } = makeCall(number);
      described = `call ${number} of seed ${seed}: ${target.name}(${args.map(({ text }) => text).join(", ")})`;
      if (trace !== undefined) {
        ftruncateSync(trace, 0);
        writeSync(trace, described, 0);
      }
      counts.calls += 1;
      let result: unknown;
      try {
        result = target.call(args.map(({ value }) => value));
      } catch (error) {
        if (!isAnswer(error)) throw error;
        counts.threw += 1;
        return;
      }
      counts.returned += 1;
      returnedBy.add(target.name);
      if (result instanceof Promise) result.catch(() => {});
      try {
        examine(result, source);
      } catch (error) {
        // A backward may refuse; that is an answer too.
        if (!isAnswer(error)) throw error;
      }
    });
  } catch (error) {
    console.log(described);
    throw error;
  }
  const { tensors } = torch.memory();
  if (tensors !== 0) {
    console.log(described);
    throw new Error(`${tensors} tensors outlived the scope of the call`);
  }
}

for (let number = first; number <= last; number++) run(number);
if (trace !== undefined) closeSync(trace);
const silent = targets.map(({ name }) => name).filter((name) => !returnedBy.has(name));
// Node gives the peak in kilobytes.
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ ...counts, targets: targets.length, silent, peakBytes }));
