import { expect, test } from "vitest";
import { fitMixedModel } from "../mixed/model.ts";
import { columnNamed, type Row, selectRows, tableFromRows } from "./table.ts";

const rows: Row[] = [
  { wp: "0.1", model: "a", seed: 1, done: true },
  { wp: " 0.25 ", model: "b", seed: "NA", done: false },
  { wp: 1, model: "", extra: 3 },
];

test("a column of numbers or of their texts is numeric, any other holds labels", () => {
  const { columns, rows: count } = tableFromRows(rows);
  expect(count).toBe(3);
  expect([...columns.get("wp")!.numbers!]).toEqual([0.1, 0.25, 1]);
  expect(columns.get("model")).toMatchObject({ numbers: undefined, labels: ["a", "b", undefined] });
  expect(columns.get("done")).toMatchObject({ numbers: undefined, labels: ["true", "false", undefined] });
  expect([...columns.get("seed")!.numbers!]).toEqual([1, Number.NaN, Number.NaN]);
  expect([...columns.get("extra")!.numbers!]).toEqual([Number.NaN, Number.NaN, 3]);
});

test("rows are taken in the order asked for", () => {
  const { columns } = selectRows(tableFromRows(rows), [2, 0]);
  expect([...columns.get("wp")!.numbers!]).toEqual([1, 0.1]);
  expect(columns.get("model")!.labels).toEqual([undefined, "a"]);
});

test("an unknown column is refused with the nearest name", () => {
  expect(() => columnNamed(tableFromRows(rows), "modle")).toThrow(
    expect.objectContaining({ column: "modle", hint: expect.stringContaining('did you mean "model"') }),
  );
});

test("a table of texts, as a CSV file gives it, fits like one of numbers", () => {
  const numbers = Array.from({ length: 24 }, (_, i) => ({
    x: (i * 7) % 10,
    g: i % 4,
    y: 0.3 + 0.02 * ((i * 5) % 13),
  }));
  const texts = numbers.map(({ x, g, y }) => ({ x: String(x), g: String(g), y: String(y) }));
  const formula = "y ~ x + (1 | g)";
  expect(fitMixedModel(texts, formula).coefficients).toEqual(fitMixedModel(numbers, formula).coefficients);
});
