// Numbers of one step of a beam search, read off the device.
import type { Tensor } from "@promptloss/torch";
import type { TokenLogProbability } from "../types.ts";

export function idsOf(tensor: Tensor): Int32Array {
  return Int32Array.from(tensor.reshape([-1]).toTypedArray("int64"), Number);
}

export function floatsOf(tensor: Tensor): Float32Array {
  return tensor.reshape([-1]).toTypedArray("float32");
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
