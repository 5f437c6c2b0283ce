import { noGrad } from "@promptloss/torch";
import { expect, test } from "vitest";
import { tinyLlama } from "../../test/tiny-llama.ts";
import { rowOfLength } from "../../test/tokens.ts";
import { NonFiniteLossError } from "./errors.ts";
import { heldOutLoss } from "./held-out.ts";

test("a loss that is not finite is an error that names the row", () => {
  const model = tinyLlama();
  // The embedding of token 7, which only the second row has.
  noGrad(() => model.parameter("model.embed_tokens.weight").select(0, 7).fill_(Number.NaN));
  const rows = [rowOfLength(4, 0, 1), rowOfLength(4, 5, 2)];
  const data = { length: rows.length, at: (index: number) => rows[index]! };
  const measure = () =>
    heldOutLoss(model, data, { normalization: { normalization: "weight-sum" }, microBatch: { tokens: 64 } });
  expect(measure).toThrow(NonFiniteLossError);
  expect(measure).toThrow(/row 2: the model's loss is NaN/);
});
