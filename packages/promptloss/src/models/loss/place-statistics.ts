// A number of a model's predictions that needs all their logits: these exist for a few places at a time only.
import { cat, scope, type Tensor, upload, zeros } from "@promptloss/torch";
import type { PlaceStatistic } from "../../loss/reweighting-rules.ts";

/** Bytes of logits that exist at one time. */
const CHUNK_BYTES = 32 << 20;

/** Statistics but the cross entropy, which the fused operator gives. */
export type LogitStatistic = Exclude<PlaceStatistic, { kind: "loss" }>;

/**
 * Computes no gradients where the caller records none.
 * @param logits of some of the hidden states, [places, width] → [places, vocabulary]
 * @param hidden [tokens, width]
 * @param targets the ids that are predicted, [tokens]; read at `places` alone
 * @returns [tokens], of the logits' dtype and at least float32; 0 where no place is
 */
export function logitStatistic(
  of: LogitStatistic,
  logits: (states: Tensor) => Tensor,
  hidden: Tensor,
  { targets, places }: { readonly targets: Int32Array; readonly places: readonly number[] },
  vocabulary: number,
): Tensor {
  return scope(() => {
    const { device } = hidden;
    const on = (values: readonly number[]): Tensor => upload([Int32Array.from(values)], device)[0]!.long();
    const size = Math.max(1, Math.floor(CHUNK_BYTES / (4 * vocabulary)));
    const parts: Tensor[] = [];
    for (let from = 0; from < places.length; from += size)
      parts.push(
        scope(() => {
          const chunk = places.slice(from, from + size);
          const scores = logits(hidden.indexSelect(0, on(chunk)));
          const wanted = on(chunk.map((place) => targets[place]!));
          return STATISTICS[of.kind](
            scores.dtype === "float64" ? scores : scores.float(),
            wanted,
            of as never,
          );
        }),
      );
    const dtype = parts[0]?.dtype ?? "float32";
    const all = zeros([hidden.shape[0]!], { dtype, device });
    return parts.length === 0 ? all : all.scatter(0, on(places), cat(parts));
  });
}

type Compute<S> = (logits: Tensor, targets: Tensor, of: S) => Tensor;

const STATISTICS: { readonly [S in LogitStatistic as S["kind"]]: Compute<S> } = {
  "top-entropy": (logits, _targets, { tokens }) => {
    const [top] = logits.topk(Math.min(tokens, logits.shape[1]!));
    const logProbabilities = top.logSoftmax(-1);
    return logProbabilities.exp().mul(logProbabilities).sum(-1).neg();
  },
  "tail-mass": (logits, targets) => {
    const probabilities = logits.softmax(-1);
    const own = probabilities.gather(1, targets.unsqueeze(1));
    const below = probabilities.mul(probabilities.lt(own).to({ dtype: probabilities.dtype }));
    return below.sum(-1).add(own.squeeze(1));
  },
};
