import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { designAdvice } from "./design-advice.ts";
import { missingFiles } from "./missing.ts";
import { readStudy } from "./read-study.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "advice-"));
  writeFileSync(join(folder, "rows.json"), "[]");
});
afterAll(() => rmSync(folder, { recursive: true }));

function study(text: string) {
  const file = join(folder, "study.yaml");
  writeFileSync(
    file,
    `recipe: { model: org/model, data: [rows.json, other.json, org/data], evaluation: { rows: 5 } }\n${text}`,
  );
  return readStudy(file);
}

function kinds(text: string): string[] {
  return designAdvice(study(text)).map((line) => line.split(/[:,]| leave/)[0]!);
}

test("a design is told what it cannot answer", () => {
  expect(kinds("factors: { plw: [0, 1] }\n")).toEqual([
    "2 prompt loss weights",
    "one seed",
    "2 cells",
    "one task",
  ]);
  expect(kinds("factors: { seed: [1, 2] }\n")).toEqual(["one prompt loss weight", "one task"]);
  expect(kinds("factors: { plw: paper, seed: [1, 2] }\n")).toEqual(["one task"]);
  expect(kinds("factors: { plw: [0, 0.1, 1], seed: [1, 2, 3, 4] }\ntasks: [held-out, arc_easy]\n")).toEqual([
    "3 prompt loss weights",
  ]);
});

test("all that is missing is listed once, whatever it is for", () => {
  const found = missingFiles(
    study(
      "factors: { plw: [0, 1], model: [no/such/folder, org/model] }\ntasks: [held-out, { task: arc_easy, options: { data: none } }]\n",
    ),
  );
  expect(found).toEqual([
    "missing: model no/such/folder",
    "missing: data other.json",
    "missing: data of the task arc_easy, none",
  ]);
});
