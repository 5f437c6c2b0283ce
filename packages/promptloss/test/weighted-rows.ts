// Random rows of weighted tokens, for properties.
import fc from "fast-check";
import { TOKEN_CLASSES } from "../src/data/example.ts";
import { WeightedTokens } from "../src/data/tokens/index.ts";

/** Weights that float32 holds exactly, 0 among them. */
const weights = fc.constantFrom(0, 0.125, 0.5, 1, 1.5);

/** A row of 2 to `longest` tokens, of any classes and weights; `of` ids. */
export function anyRow(longest: number, ids: number): fc.Arbitrary<WeightedTokens> {
  return fc
    .array(
      fc.record({
        id: fc.nat(ids - 1),
        class: fc.nat(TOKEN_CLASSES.length - 1),
        weight: weights,
      }),
      { minLength: 2, maxLength: longest },
    )
    .map((tokens) =>
      WeightedTokens.of({
        ids: Int32Array.from(tokens, ({ id }) => id),
        classes: Uint8Array.from(tokens, (token) => token.class),
        weights: Float32Array.from(tokens, ({ weight }) => weight),
        source: { file: "rows.json", row: 1 },
      }),
    );
}

/** Some rows, of which the first has an answer of weight 1 at its end, so that every normalization is defined. */
export function anyRows(
  settings: { longest?: number; ids?: number; rows?: number } = {},
): fc.Arbitrary<WeightedTokens[]> {
  const { longest = 9, ids = 32, rows = 6 } = settings;
  return fc.array(anyRow(longest, ids), { minLength: 1, maxLength: rows }).map(([first, ...rest]) => {
    const { ids: tokens, classes, weights: old, source } = first!;
    const last = tokens.length - 1;
    return [
      WeightedTokens.of({
        ids: tokens,
        classes: classes.with(last, TOKEN_CLASSES.indexOf("completion")),
        weights: old.with(last, 1),
        source,
      }),
      ...rest,
    ];
  });
}
