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
 * Runs `body(input)` so that the backward pass runs it again instead of keeping what it computed.
 * @param parameters what `body` reads besides its input and needs gradients for
 * @param random whether `body` draws random numbers
 */
export function checkpointed(
  input: Tensor,
  parameters: readonly Tensor[],
  body: (input: Tensor) => Tensor,
  { random = false }: { random?: boolean } = {},
): Tensor {
  if (!isGradEnabled() || !(input.requiresGrad || parameters.some((each) => each.requiresGrad)))
    return body(input);
  const { device } = input;
  const reduced = autocastDtype(device);
  const run = customFunction<Tensor[], Tensor>({
    name: "checkpointed",
    forward: (context, hidden) => {
      context.saveForBackward(hidden!, ...(random ? [getRngState(device)] : []));
      return body(hidden!);
    },
    backward: ([saved, seed], gradient) => {
      if (gradient === null || gradient === undefined) return [null, ...parameters.map(() => null)];
      const hidden = saved!.detach();
      hidden.requiresGrad = true;
      const after = seed === undefined ? undefined : getRngState(device);
      if (seed !== undefined) setRngState(seed, device);
      const enabled = reduced === undefined ? { enabled: false } : { dtype: reduced };
      const output = enableGrad(() => autocast({ device: kind(device), ...enabled }, () => body(hidden)));
      if (after !== undefined) setRngState(after, device);
      const wanted = [hidden, ...parameters];
      return grad([output], wanted, { gradients: [gradient], allowUnused: true });
    },
  });
  return run(input, ...parameters);
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
