// A prior that knows nothing of the paper: any smooth course over w_p.
import type { Prior } from "promptloss";

export const flatPrior: Prior = {
  parts: [{ shape: { kind: "flat" }, weight: 1 }],
  ...{ center: 0.5, shareCenter: 0.5, sd: Number.POSITIVE_INFINITY, flat: 1 },
};
