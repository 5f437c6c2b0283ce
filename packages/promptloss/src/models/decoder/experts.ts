// A mixture of experts: which tokens go to which of a layer's MLPs, and what comes back. Rows are sorted by their experts
// once, so that each expert's products have its tokens together.
import { arange, cat, isGradEnabled, type Tensor, zeros } from "@promptloss/torch";
import type { ExpertsPlan } from "../config/architecture.ts";

export interface Mixture {
  /** The router's logits, [tokens, experts]. */
  score(x: Tensor): Tensor;
  /** @param rows [rows, width] @returns the same shape */
  compute(expert: number, rows: Tensor): Tensor;
}

/**
 * Reads from the device how many tokens each expert has.
 * @param x [tokens, width]
 * @returns the sum of the chosen experts' outputs by their shares, the same shape
 */
export function mixExperts(plan: ExpertsPlan, x: Tensor, { score, compute }: Mixture): Tensor {
  const tokens = x.shape[0]!;
  const { perToken, count } = plan;
  const { chosen, shares } = route(plan, score(x));
  const places = chosen.flatten();
  const order = places.argsort();
  const tokenOf = arange(0, tokens, 1, { device: x.device }).unsqueeze(1).expand([tokens, perToken]);
  const rows = x.indexSelect(0, tokenOf.flatten().indexSelect(0, order));
  const counts = countsOf(places, count);
  // Where gradients are computed, an expert without tokens has one of zeros.
  const outputs = rows
    .split(counts, 0)
    .flatMap((own, expert) => (counts[expert] === 0 && !isGradEnabled() ? [] : [compute(expert, own)]));
  const byToken = cat(outputs, 0).indexSelect(0, order.argsort()).view([tokens, perToken, -1]);
  return byToken.mul(shares.unsqueeze(2)).sum(1);
}

interface Route {
  /** Experts of each token, [tokens, per token], int64. */
  readonly chosen: Tensor;
  /** What each of them counts, in the dtype of the logits. */
  readonly shares: Tensor;
}

function route({ perToken, normalized }: ExpertsPlan, logits: Tensor): Route {
  const [likely, chosen] = logits.float().softmax(-1).topk(perToken);
  const shares = normalized ? likely.div(likely.sum(-1, { keepdim: true })) : likely;
  return { chosen, shares: shares.to({ dtype: logits.dtype }) };
}

function countsOf(places: Tensor, experts: number): number[] {
  const { device } = places;
  const ones = places.onesLike();
  const counts = zeros([experts], { dtype: "int64", device }).scatterAdd(0, places, ones);
  return Array.from(counts.toTypedArray("int64"), Number);
}
