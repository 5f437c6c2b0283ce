// Gradient checkpointing (Chen et al., 2016): a part of the model keeps only its input and computes itself anew in
// the backward pass, with the same random numbers and the same autocast.
import {
  autocast,
  customFunction,
  type DType,
  enableGrad,
  getRngState,
  grad,
  isGradEnabled,
  ones,
  scope,
  setRngState,
  type Tensor,
} from "@promptloss/torch";

/** Keeps results of a part between its two runs: in the first they are computed, in the second they are had again. */
export interface Recall {
  /** @param compute without a graph, and independent of what is drawn */
  remember(compute: () => Tensor[]): Tensor[];
}

/**
 * Runs `body(inputs)` so that the backward pass runs it again instead of keeping what it computed.
 * @param inputs what was computed before; they are kept for the backward pass
 * @param parameters what `body` reads besides, that lives on, and needs gradients for
 * @param random whether `body` draws random numbers
 */
export function checkpointed(
  inputs: readonly [Tensor, ...Tensor[]],
  parameters: readonly Tensor[],
  body: (inputs: readonly Tensor[], recall?: Recall) => Tensor,
  { random = false }: { random?: boolean } = {},
): Tensor {
  const [input] = inputs;
  if (!isGradEnabled() || ![...inputs, ...parameters].some((each) => each.requiresGrad)) return body(inputs);
  const { device } = input;
  const reduced = autocastDtype(device);
  /** Of what is remembered, in order. */
  const counts: number[] = [];
  const run = customFunction<Tensor[], Tensor>({
    name: "checkpointed",
    forward: (context, ...given) => {
      const read = given.slice(0, inputs.length);
      const generator = random ? [getRngState(device)] : [];
      const remembered: Tensor[] = [];
      const remember = (compute: () => Tensor[]): Tensor[] => {
        const results = compute();
        counts.push(results.length);
        remembered.push(...results);
        return results;
      };
      const output = body(read, { remember });
      context.saveForBackward(...read, ...generator, ...remembered);
      return output;
    },
    backward: (kept, gradient) => {
      if (gradient === null || gradient === undefined) return [...inputs, ...parameters].map(() => null);
      const read = kept.slice(0, inputs.length).map((saved) => {
        const leaf = saved.detach();
        leaf.requiresGrad = true;
        return leaf;
      });
      const rest = kept.slice(inputs.length);
      const seed = random ? rest.shift() : undefined;
      let place = 0;
      const recall = { remember: () => rest.splice(0, counts[place++]) };
      const after = seed === undefined ? undefined : getRngState(device);
      if (seed !== undefined) setRngState(seed, device);
      const enabled = reduced === undefined ? { enabled: false } : { dtype: reduced };
      const output = enableGrad(() =>
        autocast({ device: kind(device), ...enabled }, () => body(read, recall)),
      );
      if (after !== undefined) setRngState(after, device);
      const wanted = [...read, ...parameters];
      return grad([output], wanted, { gradients: [gradient], allowUnused: true });
    },
  });
  return run(...inputs, ...parameters);
}

/** "cuda:0" → "cuda", as autocast is asked for. */
function kind(device: string): string {
  return device.split(":")[0]!;
}

/** The dtype that products have here when their inputs are float32; undefined without autocast. */
function autocastDtype(device: string): DType | undefined {
  return scope(() => {
    const one = ones([1, 1], { device });
    const { dtype } = one.matmul(one);
    return dtype === "float32" ? undefined : dtype;
  });
}
