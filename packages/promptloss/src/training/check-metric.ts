// Whether held-out rows have what an evaluation is to measure. Pure, so that a plan refuses what training refuses.
import type { RowSet } from "../data/row-subset.ts";
import { PART_OF_CODE } from "../data/token-parts.ts";
import { LOSS_METRICS, type LossMetric } from "../loss/metrics.ts";
import { TrainingError } from "./errors.ts";

/** @throws {TrainingError} where no held-out token is of the part that a metric is about */
export function checkMetric(metric: LossMetric, heldOut: RowSet): void {
  if (metric === "weighted_loss") return;
  const [measured] = metric.split("_");
  const isMeant = PART_OF_CODE.map((part) =>
    measured === "completion" ? part !== "prompt" : part === measured,
  );
  for (let index = 0; index < heldOut.length; index++)
    if (
      heldOut
        .at(index)
        .classes.subarray(1)
        .some((code) => isMeant[code])
    )
      return;
  throw new TrainingError(`evaluation.metric: ${metric}, but the held-out rows have no ${measured} tokens`, {
    hint: `evaluation.metric may be ${LOSS_METRICS.join(", ")}`,
  });
}
