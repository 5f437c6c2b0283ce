// The six normalizations as their formulas say, in float64 and by plain loops over token losses: what the factors of
// normalization.ts and the fused operator are held to.
import { TOKEN_CLASSES } from "../data/example.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import type { NormalizationSettings } from "./normalization.ts";

/** A row with the loss ℓ in nats of each of its tokens; that of the first token is never used. */
export interface RowLosses {
  readonly row: WeightedTokens;
  readonly losses: ArrayLike<number>;
}

/** The loss of one batch. NaN where it is not defined. */
export function referenceLoss(batch: readonly RowLosses[], settings: NormalizationSettings): number {
  const tokens = batch.flatMap(({ row, losses }) =>
    Array.from({ length: row.length - 1 }, (_, i) => {
      const name = TOKEN_CLASSES[row.classes[i + 1]!]!;
      return {
        completion: name === "completion" || name === "end",
        w: row.weights[i + 1]!,
        loss: losses[i + 1]!,
      };
    }),
  );
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const weighted = (of: typeof tokens): number => sum(of.map(({ w, loss }) => w * loss));
  const weight = (of: typeof tokens): number => sum(of.map(({ w }) => w));
  const prompt = tokens.filter(({ completion }) => !completion);
  const completion = tokens.filter(({ completion }) => completion);
  /** A part without tokens, or without weight, adds nothing. */
  const part = (of: number, by: number): number => (by === 0 ? 0 : of / by);
  switch (settings.normalization) {
    case "weight-sum":
      return weighted(tokens) / weight(tokens);
    case "active-count":
      return weighted(tokens) / tokens.filter(({ w }) => w > 0).length;
    case "all-mean": {
      const longest = Math.max(...batch.map(({ row }) => row.length));
      return weighted(tokens) / (batch.length * (longest - 1));
    }
    case "completion-count":
      return weighted(tokens) / completion.length;
    case "segment-mean":
      return part(weighted(prompt), prompt.length) + part(weighted(completion), completion.length);
    case "loss-share": {
      const share = settings.promptShare ?? 0;
      return (
        share * part(weighted(prompt), weight(prompt)) +
        (1 - share) * part(weighted(completion), weight(completion))
      );
    }
  }
}
