// The examples in the doc comments of the package's main functions and the programs of the pages, compiled as a user's
// program is and run, in a folder that has what they name.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compiled } from "../../../test/compiled.ts";
import { pages } from "../../../test/pages.ts";
import { examplesOf, programsOf, runProgram } from "../../../test/programs.ts";
import * as root from "../src/index.ts";
import { madeStudy } from "./report/made-study.ts";
import { writeStudy } from "./report/written-study.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const examples = examplesOf("packages/promptloss/src");
const ofPages = new Map<string, string>(
  pages().flatMap((page) => programsOf(page).map((code, i) => [`${page} ${i + 1}`, code])),
);

/** What the pages' programs print. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  "docs/data.md 1":
    /^Rg \d+\.\d\d: prompt loss weight [\d.]+\n(a pack of \d+ rows, \d+ tokens\n)+24 rows in \d+ packs, padding [\d.]+ %\n$/,
  "docs/statistics-methods.md 1": /\nConverged\.\n$/,
  "docs/statistics.md 1": /^(.*PLW.*\n)+/,
  "docs/studies.md 1": /PLW/,
  "docs/studies.md 2": /appendix\.html/,
  "docs/studio.md 1": /^http:\/\/127\.0\.0\.1:\d+\/studio\/\n$/,
  "docs/training.md 1":
    /^(step \d: \d+\.\d\d\n){3}held out: \d\.\d\d\ncompleted, 4 lines, .*runs\/first\/model\n$/,
  "docs/training.md 2": /^(step \d: \d+\.\d\d, content \d+\.\d\d\n){2}$/,
};

/** Pages whose programs need a server, or the other package alone: the tests that run them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "docs/judging.md": "serve-docs.test.ts",
  "docs/serving.md": "serve-docs.test.ts",
  "packages/torch/README.md": "../../torch/test/readme.test.ts",
};

function moduleOf(program: string): string {
  return program.replaceAll(/[/. ]/g, "-");
}

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

test("every program of a page is run", () => {
  const missing = [...ofPages.keys()].filter((name) => {
    const elsewhere = ELSEWHERE[name.split(" ")[0]!];
    if (elsewhere === undefined) return PRINTS[name] === undefined;
    return !readFileSync(new URL(elsewhere, import.meta.url), "utf8").includes(
      name.split("/").at(-1)!.split(" ")[0]!,
    );
  });
  expect(missing).toEqual([]);
  expect(Object.keys(PRINTS).filter((name) => !ofPages.has(name))).toEqual([]);
});

/** Runs compiled programs one after the other in one process. @returns what each printed */
function printedBy(names: readonly string[]): ReadonlyMap<string, string> {
  const all = names.map((name) => {
    const module = join(programs, `${moduleOf(name)}.mjs`);
    return `await import(${JSON.stringify(module)});\nconsole.log("\\0ran ${name}");`;
  });
  const cwd = folder.path;
  const { stdout, stderr } = runProgram("packages/promptloss", all.join("\n"), {
    ...{ cwd, env: { XDG_CACHE_HOME: join(cwd, "cache") } },
  });
  expect(stderr).toBe("");
  const printed = new Map<string, string>();
  let rest = stdout;
  for (const { 0: mark, 1: name } of stdout.matchAll(/\0ran (.*)\n/g)) {
    const [before = ""] = rest.split(mark, 1);
    printed.set(name!, before);
    rest = rest.slice(before.length + mark.length);
  }
  expect([...printed.keys()]).toEqual(names);
  return printed;
}

// A busy machine takes minutes over so many programs.
describe("examples and pages' programs", { timeout: 300_000 }, () => {
  test("compile, strictly", () => {
    for (const [name, code] of [...examples, ...ofPages])
      writeFileSync(join(programs, `${moduleOf(name)}.mts`), code);
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
  });

  test("of doc comments run", () => {
    printedBy([...examples.keys()]);
    expect(readFileSync(join(folder.path, "report.html"), "utf8")).toContain("<svg");
  });

  test("of pages run", () => {
    const printed = printedBy(Object.keys(PRINTS));
    for (const [name, pattern] of Object.entries(PRINTS)) expect(printed.get(name), name).toMatch(pattern);
    expect(readFileSync(join(folder.path, "appendix.html"), "utf8")).toContain("<svg");
    expect(existsSync(join(folder.path, "runs/own-loop/model.safetensors"))).toBe(true);
  });
});
