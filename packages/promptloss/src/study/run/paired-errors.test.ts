import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wpOfPlw } from "../../statistics/index.ts";
import { analysisSettings, type ResultRow, type StudyResults } from "../results/index.ts";
import { withPairedErrors } from "./paired-errors.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "paired-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Answers = readonly number[];
/** By seed and weight. */
const quiz: Readonly<Record<string, Answers>> = {
  "1-0": [1, 1, 0, 0, 1, 0],
  "1-1": [1, 0, 0, 1, 1, 0],
  "2-0": [1, 1, 1, 0, 1, 0],
  "2-1": [1, 1, 1, 1, 1, 0],
};

function mean(values: Answers): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

function row(cell: string, task: string, metric: string, value: number): ResultRow {
  const [seed, plw] = cell.split("-").map(Number) as [number, number];
  return {
    ...{ study: "made", cell, factors: { plw, seed }, plw, wp: wpOfPlw(plw), generationRatio: 1, task },
    ...{ taskGroup: null, metric, higherIsBetter: true, primary: true, value },
    ...{ standardError: 0.2, pairedError: null, items: 6, chance: null, precision: null, probes: {} },
  };
}

function results(rows: readonly ResultRow[]): StudyResults {
  return {
    study: "made",
    factors: ["plw", "seed"],
    probes: [],
    rows,
    analysis: analysisSettings(),
    cells: 4,
  };
}

function write(cell: string, task: string, answers: Answers, first = 0): void {
  const records = join(folder, "cells", cell, "evaluation/records");
  mkdirSync(records, { recursive: true });
  const lines = answers.map((acc, i) =>
    JSON.stringify({ item: first + i, right: [i % 2], metrics: { acc, bleu: 40 * acc } }),
  );
  writeFileSync(join(records, `${task}.jsonl`), lines.map((line) => `${line}\n`).join(""));
}

function errors(rows: readonly ResultRow[]): (number | null)[] {
  return withPairedErrors(results(rows), folder).rows.map(({ pairedError }) => pairedError);
}

test("of a block's cells add up to the squared error of their paired difference, block by block", () => {
  for (const [cell, answers] of Object.entries(quiz)) write(cell, "quiz", answers);
  const found = errors(
    Object.entries(quiz).map(([cell, answers]) => row(cell, "quiz", "acc", mean(answers))),
  );
  // Differences 0 1 0 −1 0 0 of seed 1, and 0 0 0 −1 0 0 of seed 2: variances 2 / 5 and 1 / 6 over 6 items.
  expect(found[0]! ** 2 + found[1]! ** 2).toBeCloseTo(2 / 5 / 6, 12);
  expect(found[2]! ** 2 + found[3]! ** 2).toBeCloseTo(1 / 6 / 6, 12);
});

test("are for scores that are the mean of the records, and of cells that have a number", () => {
  const [a, b] = ["1-0", "1-1"].map((cell) => row(cell, "quiz", "acc", mean(quiz[cell]!)));
  expect(errors([a!, { ...b!, value: 0.123 }])).toEqual([null, null]);
  expect(errors([a!, { ...b!, value: Number.NaN }])).toEqual([null, null]);
  const corpus = ["1-0", "1-1"].map((cell) => row(cell, "quiz", "bleu", 31.4));
  expect(errors(corpus)).toEqual([null, null]);
  expect(errors(["1-0", "1-1"].map((cell) => row(cell, "riddle", "acc", 0.5)))).toEqual([null, null]);
});

test("are none where two cells answered other items", () => {
  write("1-0", "shifted", quiz["1-0"]!);
  write("1-1", "shifted", quiz["1-1"]!, 7);
  expect(errors(["1-0", "1-1"].map((cell) => row(cell, "shifted", "acc", mean(quiz[cell]!))))).toEqual([
    null,
    null,
  ]);
});
