// Rows that were tokenized elsewhere keep their masks and weights, from the file to training's rows.
import fc from "fast-check";
import { expect, test } from "vitest";
import { file, jsonl, temporaryFolder } from "../../../test/row-files.ts";
import { TINY_BYTES } from "../../../test/tokenizers.ts";
import { loadRows } from "../load-rows.ts";
import { createTemplate } from "../templates/index.ts";
import { loadTokenizer } from "../tokenizer/index.ts";
import { WeightedRows } from "./index.ts";

const tokenizer = await loadTokenizer(TINY_BYTES);
const template = createTemplate("alpaca", tokenizer);

test.each(["weights", "loss_mask"])(
  "%s arrive to the last bit, whatever the weights of the recipe",
  async (column) => {
    const weight = fc.oneof(
      fc.constantFrom(0, 1, 0.1, 1e-30, 1e30),
      fc.float({ min: 0, max: 8, noNaN: true, noDefaultInfinity: true }),
    );
    const row = fc.array(fc.tuple(fc.nat(200), weight), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), async (drawn) => {
        // The first token of a row is never trained: a row without another would be refused.
        const rows = drawn.map((tokens) => [...tokens, [7, 1] as const, [7, 1] as const]);
        const path = file(
          "rows.jsonl",
          jsonl(
            ...rows.map((tokens) => ({
              input_ids: tokens.map(([id]) => id),
              [column]: tokens.map(([, w]) => w),
            })),
          ),
        );
        using cache = await loadRows([{ path }], { tokenizer, template, cache: temporaryFolder() });
        const weights = { promptLossWeight: 0.3, completionWeight: 0.5, perClass: { end: 0.25 } };
        const weighed = new WeightedRows(cache, { weights });
        for (const [index, tokens] of rows.entries()) {
          expect(weighed.at(index).weights).toEqual(Float32Array.from(tokens, ([, w]) => w));
          expect([...weighed.at(index).ids]).toEqual(tokens.map(([id]) => id));
        }
      }),
      { numRuns: 20 },
    );
  },
);
