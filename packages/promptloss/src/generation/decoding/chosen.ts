// The tokens of one step, read off the device, with their log-probabilities where asked for.
import type { Tensor } from "@promptloss/torch";
import type { TokenLogProbability } from "../types.ts";
import { logProbabilitiesOf } from "./scores.ts";

export function idsOf(tensor: Tensor): Int32Array {
  return Int32Array.from(tensor.reshape([-1]).toTypedArray("int64"), Number);
}

export function floatsOf(tensor: Tensor): Float32Array {
  return tensor.reshape([-1]).toTypedArray("float32");
}

/**
 * @param logits the model's own, [rows, vocabulary]
 * @param ids [rows, 1] int64
 * @param top how many of the likeliest
 */
export function tokenLogProbabilities(logits: Tensor, ids: Tensor, top: number): TokenLogProbability[] {
  const all = logProbabilitiesOf(logits);
  const chosen = floatsOf(all.gather(1, ids));
  const best = likeliest(all, top);
  return [...idsOf(ids)].map((id, row) => ({ id, logProbability: chosen[row]!, top: best[row]! }));
}

/** The likeliest tokens of each row. @param all log-probabilities, [rows, vocabulary] */
export function likeliest(all: Tensor, top: number): TokenLogProbability["top"][] {
  const [rows, vocabulary] = all.shape as [number, number];
  const count = Math.min(top, vocabulary);
  if (count === 0) return Array.from({ length: rows }, () => []);
  const [values, ids] = all.topk(count);
  const [scores, tokens] = [floatsOf(values), idsOf(ids)];
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: count }, (_, i) => ({
      id: tokens[row * count + i]!,
      logProbability: scores[row * count + i]!,
    })),
  );
}
