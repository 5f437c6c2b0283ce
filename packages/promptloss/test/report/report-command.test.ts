// `promptloss study report` as a user runs it, on a folder that a study has written.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { promptloss } from "../command.ts";
import { madeStudy } from "./made-study.ts";
import { FAILURE, writeStudy } from "./written-study.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "report-"));
  writeStudy(folder, madeStudy({ models: ["one"], ratios: [{ ratio: 0.082, curvature: 2.4 }] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function report(...args: string[]) {
  return promptloss(["study", "report", ...args]);
}

describe("promptloss study report", () => {
  test("writes the page of a folder and says where it is", () => {
    const { status, stdout, stderr } = report(folder);
    expect([status, stderr, stdout]).toEqual([0, "", `${join(folder, "report.html")}\n`]);
    const page = readFileSync(join(folder, "report.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    for (const text of [
      "18 cells of 20 with scores",
      FAILURE,
      "libtorch: 2.3.0",
      "weight-sum, over batch",
      "two rows were longer than 512 tokens",
      "<li>Seeds: 1; 2</li>",
    ])
      expect(page.includes(text), text).toBe(true);
  });

  test("writes to another file, and prints findings as JSON", () => {
    const path = join(folder, "page.html");
    const { status, stdout } = report(folder, "--output", path, "--json");
    expect(status).toBe(0);
    const found = JSON.parse(stdout) as { path: string; findings: { taskGroup: string; finding: string }[] };
    expect(found.path).toBe(path);
    expect(existsSync(path)).toBe(true);
    expect(found.findings.map(({ taskGroup }) => taskGroup)).toEqual([
      ...[null, "multiple-choice", "short-generation", "long-generation"],
    ]);
    expect(found.findings[1]!.finding).toMatch(/^rises, then flat: PLW 0\.01 to 1 are alike/);
  });

  test("a study file that nothing was run of makes a page that says so", () => {
    const file = join(folder, "none.yaml");
    writeFileSync(join(folder, "recipe.yaml"), "model: org/model\ndata: any.json\n");
    const output = join(folder, "none");
    writeFileSync(file, `recipe: recipe.yaml\nfactors: { plw: paper }\noutput: ${output}\n`);
    const { status, stdout, stderr } = report(file, "--set", "evaluation.rows=10");
    expect([status, stderr, stdout]).toEqual([0, "", `${join(output, "report.html")}\n`]);
    const page = readFileSync(join(output, "report.html"), "utf8");
    expect(page).toContain("0 cells of 10 with scores");
    expect(page).toContain("There is nothing to model yet");
  });

  test("says what is wrong, with a hint", () => {
    const none = report(tmpdir());
    expect([none.status, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toMatch(/no results of a study[\s\S]*hint: /);
    const set = report(folder, "--set", "seed=1");
    expect(set.status).toBe(1);
    expect(set.stderr).toMatch(/--set changes the cells of a study file[\s\S]*hint: /);
    const missing = report(join(folder, "missing.yaml"));
    expect(missing.status).toBe(1);
    expect(missing.stderr).toMatch(/missing\.yaml/);
    const target = report(folder, "--output", join(folder, "results.csv", "page.html"));
    expect(target.status).toBe(1);
    expect(target.stderr).toMatch(/results\.csv: is a file, and a folder is needed/);
  });
});
