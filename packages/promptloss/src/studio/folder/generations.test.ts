import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generationSets, readGenerations } from "./generations.ts";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "studio-generations-"));
});
afterEach(() => rmSync(path, { recursive: true }));

function place() {
  return { id: "0", name: "run", path };
}

function writeRecords(side: "before" | "after", task: string, records: readonly object[]): void {
  const folder = join(path, "forgetting", side, "records");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, `${task}.jsonl`),
    records.map((record) => `${JSON.stringify(record)}\n`).join(""),
  );
}

test("a run without any has none", () => {
  expect(generationSets(place())).toEqual([]);
  expect(readGenerations(place(), "training prompts")).toBeUndefined();
});

test("training prompts, with or without the model before", () => {
  const lines = [
    { prompt: "a", reference: "b", before: "c", after: "d" },
    { prompt: "e", reference: "f", after: "g" },
  ];
  writeFileSync(
    join(path, "generations.jsonl"),
    `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"cut`,
  );
  expect(readGenerations(place(), "training prompts")).toEqual({
    name: "training prompts",
    rows: [lines[0], { ...lines[1], before: null }],
    cut: false,
  });
});

test("tasks whose answers are text, item by item; choices have none", () => {
  const item = { metrics: {}, prompts: ["Name a color."], references: ["red"] };
  writeRecords("before", "story", [{ ...item, item: 1, completion: "one" }]);
  writeRecords("after", "story", [
    { ...item, item: 0, completion: "zero" },
    { ...item, item: 1, completion: "two" },
  ]);
  for (const side of ["before", "after"] as const)
    writeRecords(side, "choice", [{ item: 0, logLikelihoods: [1] }]);
  expect(generationSets(place())).toEqual(["story"]);
  expect(readGenerations(place(), "story")?.rows).toEqual([
    { prompt: "Name a color.", reference: "red", before: null, after: "zero" },
    { prompt: "Name a color.", reference: "red", before: "one", after: "two" },
  ]);
  expect(readGenerations(place(), "../after/records/story")).toBeUndefined();
});

test("no more rows than are shown, and a word that there are more", () => {
  const line = `${JSON.stringify({ prompt: "a", reference: "b", after: "c" })}\n`;
  writeFileSync(join(path, "generations.jsonl"), line.repeat(300));
  const { rows, cut } = readGenerations(place(), "training prompts")!;
  expect([rows.length, cut]).toEqual([200, true]);
});
