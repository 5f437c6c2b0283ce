import { expect, test } from "vitest";
import { columnsThatFit } from "./view.ts";

function names(width?: number): string[] {
  return columnsThatFit(width).map(([name]) => name);
}

test("a table's columns are those that the terminal has room for, the same ones first", () => {
  const all = "step loss prompt content end correct rate grad tokens/s memory".split(" ");
  expect(names()).toEqual(all);
  expect(names(40)).toEqual(["step", "loss", "content", "correct"]);
  expect(names(80)).toEqual(all.filter((name) => name !== "rate" && name !== "grad"));
  for (let width = 0; width <= 120; width++) {
    const columns = columnsThatFit(width);
    const line = columns.map(([name, each]) => name.padStart(each)).join(" ");
    expect(line.length).toBeLessThanOrEqual(width);
    // None that a narrower terminal has is missing on a wider one.
    for (const name of names(width)) expect(names(width + 1)).toContain(name);
  }
  expect(names(94)).toEqual(all);
});
