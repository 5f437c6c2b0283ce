// Losses of rows of ids: those that each row has alone, however they are cut into steps; and rows that a model can't read.
import { afterAll, expect, test } from "vitest";
import { tinyLlama } from "../../../test/tiny-llama.ts";
import { LOSS_TOKENS, lossesOf } from "./row-losses.ts";

const model = tinyLlama();
afterAll(() => model.free());

const { vocabularySize, maxPositions } = model.architecture;
const { signal } = new AbortController();

function row(length: number, first: number): number[] {
  return Array.from({ length }, (_, i) => (first + 7 * i) % vocabularySize);
}

test("a row has the losses that it has alone, whatever is computed beside it", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => row(2 + ((i * 5) % 40), i));
  const together = await lossesOf(model, rows, signal);
  expect(together.map(({ length }) => length)).toEqual(rows.map(({ length }) => length - 1));
  for (const [i, each] of rows.entries()) {
    const [alone] = await lossesOf(model, [each], signal);
    // Sums of float32 products in another order.
    for (const [t, loss] of alone!.entries()) expect(together[i]![t]).toBeCloseTo(loss, 3);
  }
});

test("rows that the model can't read are refused, and a client that is gone ends the work", async () => {
  const refusal = (rows: number[][]): Promise<string> =>
    lossesOf(model, rows, signal).then(
      () => "taken",
      (error: Error) => error.message,
    );
  expect(await refusal([[1]])).toBe(`rows: a row has 1 token; the model takes 2 to ${maxPositions}`);
  expect(await refusal([row(maxPositions + 1, 0)])).toMatch(/^rows: a row has/);
  expect(await refusal([[1, vocabularySize]])).toBe(
    `rows: ${vocabularySize} is no id of the model, which has ${vocabularySize}`,
  );
  const many = Array.from({ length: LOSS_TOKENS }, () => [1, 2]);
  expect(await refusal(many)).toBe(
    `rows: have ${2 * LOSS_TOKENS} tokens, and ${LOSS_TOKENS} are the most of several rows`,
  );
  await expect(lossesOf(model, [[1, 2]], AbortSignal.abort())).rejects.toThrow(/abort/i);
});
