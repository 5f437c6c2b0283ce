// The demo whole, at a tiny size, with the real commands and the real model.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { compiled } from "../../test/compiled.ts";
import { writeDemoFiles } from "./data-files.ts";

const folder = mkdtempSync(join(tmpdir(), "demo-"));
afterAll(() => rmSync(folder, { recursive: true }));

const program = compiled("demo", "demo.js");
const size = {
  trainingStories: 24,
  heldOutStories: 4,
  testStories: 4,
  epochs: 1,
  weights: [0, 0.1, 1],
  seeds: [1],
};

test("no held-out story is trained on", () => {
  const { rows, questions } = writeDemoFiles(join(folder, "files"), { ...size, trainingStories: 300 });
  const read = (name: string): Record<string, string>[] =>
    readFileSync(join(folder, "files", name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const trained = new Set(read("rows.jsonl").map(({ input }) => input));
  const asked = read("questions.jsonl");
  const measured = read("held-out.jsonl").map(({ input }) => input);
  expect([rows, questions]).toEqual([read("rows.jsonl").length, asked.length]);
  const others = [...asked.map(({ story }) => story), ...measured];
  expect(others.filter((story) => trained.has(story))).toEqual([]);
});

describe("the demo", () => {
  test("goes from data to a report, and does nothing twice", { timeout: 600_000 }, () => {
    const call = (): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(
        process.execPath,
        [
          "--input-type=module",
          "-e",
          `const { demo } = await import(${JSON.stringify(pathToFileURL(program).href)});
           demo({ size: ${JSON.stringify(size)}, folder: ${JSON.stringify(join(folder, "run"))}, fresh: false });`,
        ],
        { encoding: "utf8", cwd: folder },
      );
    const first = call();
    expect({ status: first.status, stderr: first.stderr }).toEqual({ status: 0, stderr: "" });
    const commands = first.stdout.match(/^\$ npx promptloss .*$/gm);
    expect(commands?.map((line) => line.split(" ").slice(3, 5).join(" "))).toMatchInlineSnapshot(`
      [
        "inspect run/rows.jsonl",
        "preview run/recipe.yaml",
        "study run",
        "study results",
        "recommend run/recipe.yaml",
        "study report",
        "recommend run/recipe.yaml",
        "study results",
        "recommend run/recipe.yaml",
      ]
    `);
    expect(first.stdout).toMatch(/3\/3/);
    expect(first.stdout).toMatch(
      /the paper advises +PLW .+\n\nthis data shows +all tasks: .+(\n +\S+: .+){3}\n\nthe choice +PLW .+\n/,
    );
    expect(readFileSync(join(folder, "run/report.html"), "utf8")).toMatch(/^<!doctype html>/i);
    const second = call();
    expect(second.status).toBe(0);
    expect(second.stdout).not.toMatch(/1\/3/);
  });
});
