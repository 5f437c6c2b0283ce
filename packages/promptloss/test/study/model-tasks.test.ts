// Tasks that come with the package in a study: every cell's model answers them in a process of its own.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRecords } from "../../src/evaluation/run/records.ts";
import { readStudyResults } from "../../src/study/results/index.ts";
import { promptloss } from "../command.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

const COLORS = ["red", "green", "blue", "black"];
const ITEMS = 8;

function rows(): string {
  return Array.from({ length: ITEMS }, (_, i) =>
    JSON.stringify({
      story: `Tom has a ${COLORS[i % 4]} hat.`,
      question: "Which colour?",
      choices: COLORS,
      answer: "ABCD"[i % 4],
    }),
  ).join("\n");
}

describe("a study on tasks that come with the package", () => {
  test("scores have errors, groups and records; a task without rows fails its cells, which are not trained again", () => {
    const file = join(folder.path, "tasks.yaml");
    writeFileSync(
      file,
      `recipe: { model: model, data: rows.json, maxLength: 200, training: { steps: 2 }, evaluation: { rows: 4 } }
factors: { plw: [0, 1] }
tasks: [held-out, mctest]
taskData: benchmarks
output: ${join(folder.path, "tasks")}
`,
    );
    mkdirSync(join(folder.path, "benchmarks/mctest"), { recursive: true });
    const without = promptloss(["study", "run", file]);
    expect([without.status, without.stdout.match(/✗/g)]).toEqual([1, ["✗", "✗"]]);
    expect(without.stdout).toMatch(/mctest[\s\S]*hint/);

    writeFileSync(join(folder.path, "benchmarks/mctest/mc500.test.jsonl"), rows());
    const run = promptloss(["study", "run", file, "--retry", "--events"]);
    expect([run.status, run.stderr]).toEqual([0, ""]);
    expect(run.stdout).not.toContain('"type":"step"');
    const { rows: results } = readStudyResults(join(folder.path, "tasks"));
    const accuracies = results.filter(({ task, metric }) => task === "mctest" && metric === "acc");
    expect(accuracies).toHaveLength(2);
    for (const {
      cell,
      value,
      standardError,
      items,
      chance,
      taskGroup,
      primary,
      higherIsBetter,
    } of accuracies) {
      expect([taskGroup, primary, higherIsBetter]).toEqual(["multiple-choice", true, true]);
      // Four choices, one of them right.
      expect([items, chance]).toEqual([ITEMS, 0.25]);
      // A mean of eight items, each 0 or 1, with the standard error of one.
      expect(value * ITEMS).toBeCloseTo(Math.round(value * ITEMS), 9);
      expect(standardError).toBeCloseTo(Math.sqrt((value * (1 - value)) / (ITEMS - 1)), 9);
      const records = join(folder.path, "tasks/cells", cell, "evaluation/records/mctest.jsonl");
      expect(existsSync(records)).toBe(true);
      const right = readFileSync(records, "utf8")
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { metrics: { acc: number } }).metrics.acc);
      expect(right.reduce((a, b) => a + b, 0) / ITEMS).toBeCloseTo(value, 9);
    }
    expect(accuracies.map(({ pairedError }) => pairedError)).toEqual([null, null]);

    // Sampling errors as known: by the items that both cells answered, as the sum of both is that of their difference.
    writeFileSync(file, `${readFileSync(file, "utf8")}analysis: { samplingError: known }\n`);
    const known = promptloss(["study", "results", file]);
    expect([known.status, known.stderr]).toEqual([0, ""]);
    expect(known.stdout).toContain("sampling errors are taken for a known part of the noise");
    const paired = readStudyResults(join(folder.path, "tasks")).rows.filter(
      ({ task, metric }) => task === "mctest" && metric === "acc",
    );
    const [a, b] = paired.map(({ cell }) =>
      readRecords(join(folder.path, "tasks/cells", cell, "evaluation"), "mctest").map(
        ({ metrics }) => metrics.acc!,
      ),
    );
    const difference = a!.map((x, i) => x - b![i]!);
    const mean = difference.reduce((sum, x) => sum + x, 0) / ITEMS;
    const square = difference.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (ITEMS - 1) / ITEMS;
    expect(paired.reduce((sum, { pairedError }) => sum + pairedError! ** 2, 0)).toBeCloseTo(square, 12);
  });

  test("a task file is a task, and is evaluated again where it has changed", () => {
    const rows = join(folder.path, "own");
    mkdirSync(rows, { recursive: true });
    writeFileSync(join(rows, "hats.jsonl"), `{"who": "Tom", "hat": "red"}\n{"who": "Ann", "hat": "blue"}\n`);
    const writeTask = (question: string): void =>
      writeFileSync(
        join(folder.path, "hats.yaml"),
        `task: hats
kind: generation
data: { test: hats.jsonl }
context: "${question}"
reference: "{{hat}}"
maxNewTokens: 4
metrics: [f1]
`,
      );
    const file = join(folder.path, "hats-study.yaml");
    writeFileSync(
      file,
      `recipe: { model: model, data: rows.json, maxLength: 200, training: { steps: 1 } }
factors: { plw: [0] }
tasks: [{ task: hats.yaml, options: { data: own } }]
output: ${join(folder.path, "hats")}
`,
    );
    const evaluated = (): number => {
      const { status, stderr } = promptloss(["study", "run", file, "--events"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      const [cell] = readdirSync(join(folder.path, "hats/cells"));
      return readdirSync(join(folder.path, "hats/cells", cell!, "scores")).length;
    };
    writeTask("Which hat has {{who}}?");
    expect(evaluated()).toBe(1);
    expect(evaluated()).toBe(1);
    writeTask("What does {{who}} wear?");
    expect(evaluated()).toBe(2);
    const { rows: results } = readStudyResults(join(folder.path, "hats"));
    expect(results.map(({ task, taskGroup, metric }) => [task, taskGroup, metric])).toEqual([
      ["hats", "short-generation", "f1"],
    ]);
    writeFileSync(join(folder.path, "hats.yaml"), "task: hats\nkind: generatoin\n");
    expect(promptloss(["study", "plan", file]).stderr).toMatch(/hats\.yaml:2: kind/);
  });

  test("options that a task does not have, and rows that nobody names, are told at once", () => {
    const said = (tasks: string): string => {
      const file = join(folder.path, "wrong.yaml");
      writeFileSync(
        file,
        `recipe: { model: model, data: rows.json }\nfactors: { plw: [0] }\ntasks: ${tasks}\n`,
      );
      return promptloss(["study", "plan", file]).stderr;
    };
    expect(said("[mctest]")).toMatch(
      /wrong\.yaml:3: tasks\.0: mctest needs the folder of its rows: give taskData/,
    );
    expect(said("[{ task: piqa, options: { data: x, shots: -1 } }]")).toMatch(
      /tasks\.0: shots: should be 0 or more/,
    );
    expect(said("[{ task: pandalm, options: { reference: r, judge: 3 } }]")).toMatch(
      /tasks\.0: judge: expected keys with values, found the number 3/,
    );
    expect(said("[{ task: piqa, options: { data: x, shts: 1 } }]")).toMatch(
      /tasks\.0: shts: there is no such key; did you mean shots\?/,
    );
    expect(said("[{ task: mctest, options: { data: x } }, { task: mctest, options: { data: y } }]")).toMatch(
      /wrong\.yaml:3: tasks\.1: the task mctest comes twice/,
    );
    expect(said("[{ task: piqa, metric: acc_nrm }]")).toMatch(
      /wrong\.yaml:3: tasks\.0\.metric: piqa has no metric acc_nrm; it has acc, acc_norm/,
    );
    expect(said("[{ task: held-out, metric: loss }]")).toMatch(
      /held-out has no metric loss; it has prompt_loss/,
    );
    expect(said("[pika]")).toMatch(/there is no task pika; did you mean piqa\?/);
    const files = said("[held-out, none.yaml, other.yaml]");
    expect(files).toMatch(/wrong\.yaml:3: tasks\.1: .*none\.yaml: there is no such file/);
    expect(files).toMatch(/wrong\.yaml:3: tasks\.2: .*other\.yaml: there is no such file/);
  });
});
