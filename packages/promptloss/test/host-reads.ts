// Counts how often a test's code reads something from a device: each such read makes an accelerator wait.
import { type ProfileEvent, Tensor } from "@promptloss/torch";
import { vi } from "vitest";

/** From now until the test's mocks are restored. @returns how many reads there were so far */
export function countedReads(): () => number {
  const spies = (["item", "toTypedArray", "toArray"] as const).map((name) =>
    vi.spyOn(Tensor.prototype, name),
  );
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

/** Whether libtorch itself looks at numbers of a device in an operator. */
export function isLook({ name }: ProfileEvent): boolean {
  return name === "aten::_local_scalar_dense" || name === "aten::nonzero";
}
