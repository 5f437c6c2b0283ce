// The sums of a pack's losses by part, added up where the model is: what `rowSums` gives of all rows, without a read.
import { arange, scope, stack, type Tensor, upload } from "@promptloss/torch";
import type { PackedTokens } from "../../data/packing/index.ts";
import { PART_OF_CODE, TOKEN_PARTS } from "../../data/token-parts.ts";
import { emptyPartSums, type PartSums } from "../../loss/part-sums.ts";
import type { MeasuredPack } from "./pack-loss.ts";

export interface PartTotals {
  /** Tokens alone: losses and right ones are 0. */
  readonly counts: PartSums;
  /** Losses and right ones of each part in the order of TOKEN_PARTS, [6]: float64, on Metal float32. */
  readonly numbers: Tensor;
}

/** Metal has no float64. */
export function summingDtype(device: string): "float32" | "float64" {
  return device.startsWith("mps") ? "float32" : "float64";
}

export function partTotals(pack: PackedTokens, measured: MeasuredPack): PartTotals {
  const { tokenLosses, tokenCorrect, isMeasured } = measured;
  const counts = emptyPartSums();
  // Places that predict nothing, or were not measured, are of no part.
  const parts = new Int32Array(pack.length).fill(TOKEN_PARTS.length);
  for (let row = 0; row < pack.rowCount; row++)
    for (let place = pack.starts[row]!; place < pack.starts[row + 1]! - 1; place++) {
      const part = PART_OF_CODE[pack.classes[place + 1]!]!;
      if (isMeasured(place)) {
        counts[part].tokens++;
        parts[place] = TOKEN_PARTS.indexOf(part);
      } else counts[part].unmeasured++;
    }
  const numbers = scope(() => {
    const { device } = tokenLosses;
    const dtype = summingDtype(device);
    const [of] = upload([parts], device) as [Tensor];
    const each = arange(0, TOKEN_PARTS.length, 1, { device }).unsqueeze(1);
    const isOf = of.unsqueeze(0).eq(each).to({ dtype });
    const values = stack([tokenLosses.detach().to({ dtype }), tokenCorrect.to({ dtype })], 1);
    return isOf.matmul(values).reshape([-1]);
  });
  return { counts, numbers };
}
