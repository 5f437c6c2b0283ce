// Draws one token a row: temperature, then top-k, then top-p, in transformers' order, then the inverse of the
// cumulative distribution at a uniform number that the row brings along.
import { type Tensor, upload } from "@promptloss/torch";

/**
 * A temperature at which only the likeliest tokens are left. Float32 has no number for scores over a temperature near
 * its own least, 1e-38.
 */
const COLDEST = 1e-30;

export interface DrawSettings {
  /** Above 0. */
  readonly temperature: number;
  /** 0 for all. */
  readonly topK: number;
  readonly topP: number;
}

/**
 * @param scores [rows, vocabulary] float32
 * @param uniforms one number of [0, 1) a row
 * @returns token ids, [rows, 1] int64
 */
export function drawTokens(scores: Tensor, uniforms: Float64Array, settings: DrawSettings): Tensor {
  const { temperature, topK, topP } = settings;
  const vocabulary = scores.shape[1]!;
  const heated = scores.div(Math.max(temperature, COLDEST));
  const cut = topK > 0 && topK < vocabulary;
  // Sorted where something is cut off: the least likely stand last.
  const [values, ids] = cut
    ? heated.topk(topK)
    : topP < 1
      ? heated.sort(-1, { descending: true })
      : [heated, undefined];
  let weights = values.softmax(-1, { dtype: "float64" });
  if (topP < 1) {
    const before = weights.cumsum(-1).sub(weights);
    weights = weights.maskedFill(before.ge(topP), 0);
  }
  const cumulative = weights.cumsum(-1);
  const total = cumulative.narrow(1, -1, 1);
  const targets = upload([uniforms], scores.device)[0]!.unsqueeze(1).mul(total);
  // In float64 u · total < total for u < 1, so the count never passes the last weight above 0.
  const place = cumulative.le(targets).sum(-1, { keepdim: true });
  return ids === undefined ? place : ids.gather(1, place);
}
