// Changes to a step's scores before a token is chosen, all rows at once: the repetition penalty (Keskar et al., 2019,
// section 4.1) and no stop tokens before the least length. Drawing is in draw.ts.
import { cat, type Tensor, upload, where, zeros } from "@promptloss/torch";

/**
 * Penalizes the tokens seen by each row.
 * @param scores [rows, vocabulary]
 * @param penalties one for all rows, or one for each
 * @param more tokens that each row has seen besides, [rows, tokens] int64
 */
export function penalizeRepeats(
  scores: Tensor,
  seen: readonly ReadonlySet<number>[],
  penalties: number | readonly number[],
  more?: Tensor,
): Tensor {
  const widest = Math.max(1, ...seen.map(({ size }) => size));
  const places = new BigInt64Array(seen.length * widest);
  const factors = new Float32Array(seen.length);
  seen.forEach((ids, row) => {
    let at = row * widest;
    for (const id of ids) places[at++] = BigInt(id);
    // The rest of a row repeats its first token, whose new score is the same each time. A row that has seen nothing
    // repeats token 0, with no penalty.
    places.fill(places[row * widest]!, at, (row + 1) * widest);
    factors[row] = ids.size === 0 ? 1 : typeof penalties === "number" ? penalties : penalties[row]!;
  });
  const { device } = scores;
  const [sent, sentFactors] = upload([places, factors], device) as [Tensor, Tensor];
  const known = sent.reshape([seen.length, widest]);
  const index = more === undefined ? known : cat([known, more], 1);
  const factor = sentFactors.unsqueeze(1);
  const old = scores.gather(1, index);
  return scores.scatter(1, index, where(old.lt(0), old.mul(factor), old.div(factor)));
}

/** A mask of stop tokens, [vocabulary] bool. */
export function stopMask(vocabulary: number, ids: Iterable<number>, device: string): Tensor {
  const mask = zeros([vocabulary], { dtype: "bool" });
  const flags = mask.asTypedArray("bool");
  for (const id of ids) if (id < vocabulary) flags[id] = 1;
  return mask.to({ device });
}

/** log-softmax in float32, [rows, vocabulary]. */
export function logProbabilitiesOf(logits: Tensor): Tensor {
  return logits.logSoftmax(-1, { dtype: "float32" });
}
