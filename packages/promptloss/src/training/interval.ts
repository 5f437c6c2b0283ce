// When something that happens now and then is due: the one rule for evaluations and checkpoints. Pure.
import type { BatchPlan } from "./batches.ts";

/** Steps between two of something, at the end of each epoch, or never. */
export type Interval = number | "epoch" | "never";

/** @param step steps done, from 1 */
export function isDue(every: Interval, step: number, batches: Pick<BatchPlan, "endsEpoch">): boolean {
  if (every === "epoch") return batches.endsEpoch(step - 1);
  return every !== "never" && step % every === 0;
}
