// The recipes, studies and tasks that pages show in YAML, whole or in part: their readers take them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { blocksOf, pages } from "../../../../test/pages.ts";
import { loadTask } from "../../src/evaluation/tasks/index.ts";
import { readRecipe } from "../../src/recipe/index.ts";
import { readStudy } from "../../src/study/index.ts";

interface Kind {
  readonly read: (file: string) => unknown;
  /** What a part that is shown leaves to the rest of the file. */
  readonly rest: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Record<"recipe" | "study" | "task", Kind>> = {
  recipe: { read: readRecipe, rest: { model: "model: org/model", data: "data: any.json" } },
  study: { read: readStudy, rest: { recipe: "recipe: recipe.yaml", factors: "factors: { plw: [0, 1] }" } },
  task: { read: loadTask, rest: {} },
};

function kindOf(keys: readonly string[]): keyof typeof KINDS {
  if (keys.includes("kind")) return "task";
  return keys.some((key) => ["factors", "tasks", "analysis", "slurm"].includes(key)) ? "study" : "recipe";
}

const blocks = pages()
  .flatMap(blocksOf)
  .filter(({ language }) => language === "yaml");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pages-"));
  mkdirSync(join(folder, "runs"));
  for (const name of ["recipe.yaml", "runs/quick-start.yaml"])
    writeFileSync(join(folder, name), "model: org/model\ndata: any.json\nevaluation: { rows: 2 }\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

test("pages show some", () => {
  expect(blocks.length).toBeGreaterThanOrEqual(3);
});

test.each(blocks)("$page:$line is as its reader wants it", ({ page, line, code }) => {
  const keys = Object.keys(parse(code) as object);
  const { read, rest } = KINDS[kindOf(keys)];
  const missing = Object.entries(rest).flatMap(([key, text]) => (keys.includes(key) ? [] : [text]));
  const file = join(folder, `${page.replaceAll("/", "-")}-${line}.yaml`);
  writeFileSync(file, [...missing, code].join("\n"));
  expect(() => read(file)).not.toThrow();
});
