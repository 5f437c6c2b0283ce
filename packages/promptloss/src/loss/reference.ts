// The normalizations as their formulas say, in float64 and by plain loops over token losses: what the factors of
// normalization.ts and the fused operator are held to.
import { TOKEN_CLASSES } from "../data/example.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import type { NormalizationSettings } from "./normalization.ts";

/** A row with the loss ℓ in nats of each of its tokens; that of the first token is never used. */
export interface RowLosses {
  readonly row: WeightedTokens;
  readonly losses: ArrayLike<number>;
}

const WRITTEN_BY_THE_MODEL = ["completion", "reasoning", "tool-call", "end"];

/** The loss of one batch. NaN where it is not defined. */
export function referenceLoss(batch: readonly RowLosses[], settings: NormalizationSettings): number {
  const all = batch.flatMap(({ row, losses }) =>
    Array.from({ length: row.length - 1 }, (_, i) => {
      const name = TOKEN_CLASSES[row.classes[i + 1]!]!;
      return {
        name,
        completion: WRITTEN_BY_THE_MODEL.includes(name),
        w: row.weights[i + 1]!,
        loss: losses[i + 1]!,
      };
    }),
  );
  type Tokens = typeof all;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const weighted = (of: Tokens): number => sum(of.map(({ w, loss }) => w * loss));
  const weight = (of: Tokens): number => sum(of.map(({ w }) => w));
  /** A part without tokens, or without weight, adds nothing. */
  const part = (of: number, by: number): number => (by === 0 ? 0 : of / by);

  const { ownDenominator = [] } = settings;
  const own = ownDenominator === "all" ? TOKEN_CLASSES : ownDenominator;
  const alone = own.map((name) => all.filter((token) => token.name === name));
  const apart = sum(alone.map((of) => part(weighted(of), of.length)));
  const tokens = all.filter(({ name }) => !own.includes(name));
  const isDefinedAlone = alone.some((of) => weight(of) > 0);
  const prompt = tokens.filter(({ completion }) => !completion);
  const completion = tokens.filter(({ completion }) => completion);
  const rest = (): number => {
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
  };
  const others = rest();
  return apart + (isDefinedAlone && !Number.isFinite(others) ? 0 : others);
}
