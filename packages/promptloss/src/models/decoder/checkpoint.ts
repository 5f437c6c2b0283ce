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

/**
 * Runs `body(inputs)` so that the backward pass runs it again instead of keeping what it computed.
 * @param inputs what was computed before; they are kept for the backward pass
 * @param parameters what `body` reads besides, that lives on, and needs gradients for
 * @param random whether `body` draws random numbers
 */
export function checkpointed(
  inputs: readonly [Tensor, ...Tensor[]],
  parameters: readonly Tensor[],
  body: (inputs: readonly Tensor[]) => Tensor,
  { random = false }: { random?: boolean } = {},
): Tensor {
  const [input] = inputs;
  if (!isGradEnabled() || ![...inputs, ...parameters].some((each) => each.requiresGrad)) return body(inputs);
  const { device } = input;
  const reduced = autocastDtype(device);
  const run = customFunction<Tensor[], Tensor>({
    name: "checkpointed",
    forward: (context, ...given) => {
      const read = given.slice(0, inputs.length);
      context.saveForBackward(...read, ...(random ? [getRngState(device)] : []));
      return body(read);
    },
    backward: (kept, gradient) => {
      if (gradient === null || gradient === undefined) return [...inputs, ...parameters].map(() => null);
      const read = kept.slice(0, inputs.length).map((saved) => {
        const leaf = saved.detach();
        leaf.requiresGrad = true;
        return leaf;
      });
      const seed = kept[inputs.length];
      const after = seed === undefined ? undefined : getRngState(device);
      if (seed !== undefined) setRngState(seed, device);
      const enabled = reduced === undefined ? { enabled: false } : { dtype: reduced };
      const output = enableGrad(() => autocast({ device: kind(device), ...enabled }, () => body(read)));
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
