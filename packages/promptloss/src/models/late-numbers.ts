// Numbers of steps that stay on the device until they are asked for, and come all together: an accelerator is stopped once
// per line of the log, or per few tokens, not once per number.
import { cat, keep, scope, type Tensor } from "@promptloss/torch";

export class LateNumbers<Of> {
  readonly #waiting: { readonly of: Of; readonly numbers: Tensor }[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  /** @param numbers of one dimension, always of one dtype; taken over */
  add(of: Of, numbers: Tensor): void {
    this.#waiting.push({ of, numbers: keep(numbers) });
  }

  /** All that waits, in order, by one transfer; nothing waits then. */
  read(): { readonly of: Of; readonly numbers: readonly number[] }[] {
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return [];
    try {
      const all = scope(() =>
        cat(
          waiting.map(({ numbers }) => numbers),
          0,
        )
          .to({ device: "cpu" })
          .double()
          .toTypedArray("float64"),
      );
      let at = 0;
      return waiting.map(({ of, numbers: { numel } }) => {
        at += numel;
        return { of, numbers: [...all.subarray(at - numel, at)] };
      });
    } finally {
      for (const { numbers } of waiting) numbers.free();
    }
  }

  free(): void {
    for (const { numbers } of this.#waiting.splice(0)) numbers.free();
  }
}
