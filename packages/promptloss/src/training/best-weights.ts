// The weights of the best evaluation so far, on disk beside the checkpoints.

import { join } from "node:path";
import { noGrad, readSafetensors, type Tensor, writeSafetensors } from "@promptloss/torch";
import { makeFolder } from "../files/atomic.ts";

export class BestWeights {
  readonly #path: string;

  constructor(folder: string, fingerprint: string) {
    makeFolder(folder);
    this.#path = join(folder, `best-${fingerprint.slice(0, 16)}.safetensors`);
  }

  write(step: number, parameters: ReadonlyMap<string, Tensor>): void {
    writeSafetensors(this.#path, parameters, { metadata: { step: String(step) } });
  }

  /** Copies the weights into the parameters. */
  restore(parameters: ReadonlyMap<string, Tensor>): void {
    const weights = readSafetensors(this.#path);
    noGrad(() => {
      for (const [name, parameter] of parameters) parameter.copy_(weights.get(name)!);
    });
    for (const tensor of weights.values()) tensor.free();
  }
}
