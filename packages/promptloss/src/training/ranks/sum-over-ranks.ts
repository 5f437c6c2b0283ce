// What each rank measured of its rows → what all measured of theirs.
import { TOKEN_PARTS } from "../../data/token-parts.ts";
import { emptyPartSums, type PartSums } from "../../loss/index.ts";
import type { Ranks } from "./ranks.ts";

interface Measured {
  readonly loss: number;
  readonly penalty?: number;
  readonly sums: PartSums;
}

/** The same on all ranks. */
export function sumOverRanks<T extends Measured>(ranks: Ranks, own: T): T {
  const { loss, penalty = 0, sums } = own;
  const places = TOKEN_PARTS.flatMap((part) =>
    (["tokens", "unmeasured", "loss", "correct"] as const).map((name) => [part, name] as const),
  );
  const [totalLoss, totalPenalty, ...rest] = ranks.sum([
    loss,
    penalty,
    ...places.map(([part, name]) => sums[part][name]),
  ]);
  const total = emptyPartSums();
  for (const [place, [part, name]] of places.entries()) total[part][name] = rest[place]!;
  return {
    ...own,
    loss: totalLoss!,
    ...(own.penalty !== undefined && { penalty: totalPenalty! }),
    sums: total,
  };
}
