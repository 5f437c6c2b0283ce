import fc from "fast-check";
import { expect, test } from "vitest";
import { TOKEN_PARTS } from "../data/token-parts.ts";
import { addPartSums, emptyPartSums, type PartSums, partMeans } from "./part-sums.ts";

const count = fc.nat(50);
const sum = fc.record({
  tokens: count,
  unmeasured: fc.oneof(fc.constant(0), count),
  loss: fc.double({ min: 0, max: 100, noNaN: true }),
  correct: count,
});
const anySums: fc.Arbitrary<PartSums> = fc.record({ prompt: sum, content: sum, end: sum });

test("a part has means where all of its tokens were measured, and there are some", () => {
  fc.assert(
    fc.property(anySums, (sums) => {
      const means = partMeans(sums);
      for (const part of TOKEN_PARTS) {
        const { tokens, unmeasured, loss, correct } = sums[part];
        expect(means[part]).toEqual(
          tokens === 0 || unmeasured > 0
            ? undefined
            : { tokens, loss: loss / tokens, accuracy: correct / tokens },
        );
      }
    }),
  );
});

test("the completion is content and end together", () => {
  fc.assert(
    fc.property(anySums, ({ prompt, content, end }) => {
      const both = emptyPartSums();
      addPartSums(both, { ...both, content });
      addPartSums(both, { ...both, content: end });
      expect(partMeans({ prompt, content, end }).completion).toEqual(partMeans(both).content);
    }),
  );
});
