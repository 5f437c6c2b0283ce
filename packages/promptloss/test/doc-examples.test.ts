// The examples in the doc comments of the package's main functions, compiled as a user's program is and run, in a folder
// that has what they name.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compiled } from "../../../test/compiled.ts";
import { examplesOf, runProgram } from "../../../test/programs.ts";
import * as root from "../src/index.ts";
import { madeStudy } from "./report/made-study.ts";
import { writeStudy } from "./report/written-study.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const examples = examplesOf("packages/promptloss/src");

let folder: TrainingFolder;
/** Inside the package, so that its name resolves. */
let programs: string;
beforeAll(async () => {
  programs = mkdtempSync(compiled("packages/promptloss", "example-"));
  folder = trainingFolder();
  const write = (name: string, text: string): void => writeFileSync(join(folder.path, name), text);
  write(
    "recipe.yaml",
    "model: model\ndata: rows.json\noutput: run\ntemplate: alpaca\nloss: { promptLossWeight: 0.1 }\ntraining: { steps: 2, batchSize: 4 }\n",
  );
  write(
    "study.yaml",
    "recipe: recipe.yaml\noutput: cells\nfactors: { plw: [0, 1], seed: [1] }\nset: { evaluation: { rows: 4 } }\ntasks: [held-out]\n",
  );
  write(
    "quiz.jsonl",
    `${JSON.stringify({ question: "Say red.", ends: [" red", " blue"], right: 0 })}\n`.repeat(4),
  );
  write(
    "quiz.yaml",
    'task: quiz\nkind: multiple-choice\ndata: { test: quiz.jsonl }\ncontext: "{{question}}"\nchoices: ends\ngold: "{{right}}"\ndelimiter: ""\nmetrics: [acc]\n',
  );
  for (const name of ["before", "after"])
    await root.evaluate({
      ...{ model: join(folder.path, "model"), tasks: [join(folder.path, "quiz.yaml")], data: folder.path },
      output: join(folder.path, "evaluations", name),
    });
  mkdirSync(join(folder.path, "runs/study"), { recursive: true });
  writeStudy(join(folder.path, "runs/study"), madeStudy());
});
afterAll(() => {
  folder.remove();
  rmSync(programs, { recursive: true });
});

test("every function of the root has one", () => {
  const functions = Object.entries(root).flatMap(([name, value]) =>
    typeof value === "function" && name !== "PromptlossError" ? [name] : [],
  );
  expect(functions.filter((name) => !examples.has(name))).toEqual([]);
});

test("all of them compile, strictly, and run", () => {
  for (const [name, code] of examples) writeFileSync(join(programs, `${name}.mts`), code);
  const config = {
    compilerOptions: {
      ...{ target: "es2022", module: "nodenext", lib: ["es2023", "esnext.disposable"], types: ["node"] },
      ...{
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: true,
      },
    },
    include: ["*.mts"],
  };
  writeFileSync(join(programs, "tsconfig.json"), JSON.stringify(config));
  const compiler = join(compiled("packages/promptloss", "../../../node_modules/typescript/bin/tsc"));
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", programs], { encoding: "utf8" });
  expect(stdout).toBe("");
  const modules = readdirSync(programs).filter((name) => name.endsWith(".mjs"));
  expect(modules).toHaveLength(examples.size);
  const all = modules.map(
    (name) => `await import(${JSON.stringify(join(programs, name))});\nconsole.log("ran ${name}");`,
  );
  const cwd = folder.path;
  const run = runProgram("packages/promptloss", all.join("\n"), {
    ...{ cwd, env: { XDG_CACHE_HOME: join(cwd, "cache") } },
  });
  expect(run.stderr).toBe("");
  expect(run.stdout.match(/^ran .*$/gm)).toEqual(modules.map((name) => `ran ${name}`));
  expect(readFileSync(join(cwd, "report.html"), "utf8")).toContain("<svg");
});
