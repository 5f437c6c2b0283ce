// `promptloss tune` as a user runs it, over a tiny model: it proposes, trains, is killed, goes on to the same runs, and
// ends with a choice that is trained anew and tested on rows of its own.
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { promptloss, startPromptloss } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
let recipe: string;
let args: string[];
beforeAll(() => {
  folder = trainingFolder();
  recipe = folder.recipe(
    "base",
    "maxLength: 256\nevaluation: { rows: 6, unit: row }\ntraining: { epochs: 1, batchSize: 8, learningRate: 1e-3 }\n",
  );
  const rows = ["pink", "grey", "brown"].map((color) => ({ instruction: `Say ${color}.`, output: color }));
  writeFileSync(join(folder.path, "test.json"), JSON.stringify(rows));
  args = [
    ...["tune", recipe, "--runs", "5", "--weights", "0,0.1,1", "--learning-rates", "1e-3,3e-3"],
    ...[
      "--final-seeds",
      "1",
      "--test",
      join(folder.path, "test.json"),
      "--output",
      join(folder.path, "search"),
    ],
  ];
});
afterAll(() => folder.remove());

describe("promptloss tune", () => {
  test("is killed, goes on to the same runs, and tests a retrained choice beside masked and unmasked", async () => {
    const first = startPromptloss(args);
    const proposed: string[] = [];
    for await (const line of createInterface({ input: first.stdout })) {
      if (line.startsWith("run ")) proposed.push(line);
      if (proposed.length === 3) break;
    }
    first.kill("SIGKILL");
    await once(first, "close");
    expect(proposed[0]).toMatch(/^run 1\/5 {2}PLW 0\.1, learning rate 0\.001, seed \d+ {2}\(design\)$/);

    const second = promptloss(args);
    expect([second.status, second.stderr]).toEqual([0, ""]);
    const again = second.stdout.split("\n").filter((line) => line.startsWith("run "));
    expect(again.slice(0, 3)).toEqual(proposed);
    expect(again).toHaveLength(5);
    expect(second.stdout).toMatch(/\nChoice +PLW [\d.]+, learning rate 0\.00\d/);
    expect(second.stdout).toMatch(/Rests on +5 runs by held-out content_loss on validation rows/);
    expect(second.stdout).not.toMatch(/significant/);

    // Nothing is left to train: the report is made from the finished cells.
    const report = JSON.parse(promptloss([...args, "--json"]).stdout);
    expect(report.runs.map(({ plw }: { plw: number }) => plw)).toEqual([0.1, 0, 1, 0.1, 0.1]);
    expect(new Set(report.runs.map(({ seed }: { seed: number }) => seed)).size).toBe(2);
    expect(report.objective).toMatchObject({ task: "held-out", metric: "content_loss", unit: "nats" });
    expect(
      report.test.seeds.some((seed: number) =>
        report.runs.some((run: { seed: number }) => run.seed === seed),
      ),
    ).toBe(false);
    const names = report.test.arms.map(({ name }: { name: string }) => name);
    expect(names[0]).toBe("choice");
    const ends = [0, 1]
      .filter((end) => end !== report.choice.plw)
      .map((end) => (end === 0 ? "masked" : "unmasked"));
    expect(names.slice(1)).toEqual(ends);
    for (const { values, mean } of report.test.arms) {
      expect(values).toHaveLength(1);
      expect(mean).toBeGreaterThan(0);
    }
    expect(readFileSync(join(folder.path, "search/search.yaml"), "utf8")).toMatch(/only:/);
  });

  test("ends where the tokens do not pay for one more run, and goes on with more of them", () => {
    const report = (tokens: string) => {
      const { status, stdout, stderr } = promptloss([
        ...["tune", recipe, "--tokens", tokens, "--weights", "0,1", "--learning-rates", "1e-3"],
        ...["--final-seeds", "1", "--test", join(folder.path, "test.json")],
        ...["--output", join(folder.path, "by tokens"), "--json"],
      ]);
      expect([status, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout) as { stopped: string; runs: { tokens: number; plw: number; seed: number }[] };
    };
    const first = report("0.01M");
    const { tokens } = first.runs[0]!;
    expect(tokens).toBeGreaterThan(0);
    expect(first.stopped).toBe("the budget is used");
    expect(first.runs).toHaveLength(Math.floor(10_000 / tokens));
    expect(first.runs.reduce((sum, run) => sum + run.tokens, 0)).toBeLessThanOrEqual(10_000);
    const one = report(String(10_000 + tokens));
    expect(one.runs.slice(0, -1)).toEqual(first.runs);
    expect(one.runs).toHaveLength(first.runs.length + 1);
  });

  test("a larger budget goes on; another search in the folder is refused", () => {
    const more = JSON.parse(
      promptloss([...args.map((each) => (each === "5" ? "6" : each)), "--json"]).stdout,
    );
    expect(more.runs).toHaveLength(6);
    expect(more.runs[5].gain).toBeGreaterThanOrEqual(0);
    // Its hours are those of the runs that it has read: begun again, the first is read before they are spent.
    const short = promptloss([
      ...args.filter((each) => each !== "--runs" && each !== "5"),
      "--hours",
      "1e-9",
      "--json",
    ]);
    expect(JSON.parse(short.stdout)).toMatchObject({ stopped: "the budget is used", runs: [{ plw: 0.1 }] });
    const stopped = promptloss([
      ...args.map((each) => (each === "5" ? "9" : each)),
      "--tolerance",
      "100",
      "--json",
    ]);
    expect(JSON.parse(stopped.stdout).stopped).toMatch(/expected to gain .*, under the tolerance/);
    const other = promptloss([...args, "--seed", "2"]);
    expect([other.status, other.stderr]).toEqual([
      1,
      expect.stringMatching(/a search of other settings is there/),
    ]);
  });

  test("two runs at a time, by a task's score, over another key", () => {
    for (const name of ["hats", "coats"]) {
      writeFileSync(
        join(folder.path, `${name}.jsonl`),
        `{"who": "Tom", "color": "red"}\n{"who": "Ann", "color": "blue"}\n`,
      );
      writeFileSync(
        join(folder.path, `${name}.yaml`),
        `task: ${name}\nkind: likelihood\ndata: { test: ${name}.jsonl }\ncontext: "{{who}} has"\ncompletion: "{{color}}"\nmetrics: [acc, perplexity]\n`,
      );
    }
    const own = [
      ...["tune", recipe, "--runs", "4", "--batch", "2", "--weights", "0,1", "--learning-rates", "1e-3"],
      ...["--key", "training.batchSize=4,8", "--final-seeds", "1", "--output", join(folder.path, "by task")],
      ...["--objective", join(folder.path, "hats.yaml"), "--test-task", join(folder.path, "coats.yaml")],
      ...["--task-data", folder.path, "--set", "training.weightDecay=0.25", "--set", "seed=3"],
    ];
    const { status, stdout, stderr } = promptloss([...own, "--json"]);
    expect([status, stderr]).toEqual([0, ""]);
    const report = JSON.parse(stdout);
    expect(report.objective.task).toMatch(/hats\.yaml$/);
    expect(report.runs).toHaveLength(4);
    const sizes = report.runs.map(
      ({ other }: { other: Record<string, number> }) => other["training.batchSize"],
    );
    expect(new Set(sizes)).toEqual(new Set([4, 8]));
    expect(report.test).toMatchObject({ task: "coats", arms: [{ name: "choice" }, {}] });
    // What --set gives reaches every training, the last ones too; a search with another is another search.
    const trained = ["search", "final"].flatMap((study) => {
      const cells = join(folder.path, "by task", study, "cells");
      return readdirSync(cells).map((cell) =>
        JSON.parse(readFileSync(join(cells, cell, "run/manifest.json"), "utf8")),
      );
    });
    expect(trained.length).toBeGreaterThan(4);
    for (const { recipe: used } of trained) expect(used.training.weightDecay).toBe(0.25);
    const other = promptloss(own.map((each) => each.replace("weightDecay=0.25", "weightDecay=0.5")));
    expect([other.status, other.stderr]).toEqual([1, expect.stringMatching(/other settings/)]);
    const elsewhere = ["--output", join(folder.path, "wrong")];
    const wrong = promptloss([...own, ...elsewhere, "--set", "training.weightDekay=1"]);
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("weightDekay")]);
  });

  test("refuses a search without an end, a test without rows of its own, and wrong values", () => {
    const said = (...more: string[]): string => {
      const { status, stderr } = promptloss(["tune", recipe, ...more]);
      return `${status}: ${stderr}`;
    };
    const data = join(folder.path, "test.json");
    expect(said("--test", data)).toMatch(/^2: .*--runs, --tokens or --hours/);
    expect(said("--runs", "4")).toMatch(/^1: .*tested on what the search has not seen[\s\S]*--test FILE/);
    expect(said("--runs", "4", "--objective", "arc_easy", "--test-task", "arc_easy")).toMatch(
      /^1: .*no test/,
    );
    const twice = ["--key", "training.epochs=1,2", "--key", "training.epochs=3,4"];
    expect(said("--runs", "4", "--test", data, ...twice)).toMatch(/^1: .*training.epochs is given twice/);
    const whole = ["--runs", "4", "--test", data];
    expect(said(...whole, "--slurm", "{ time: 60 }")).toMatch(/^2: .*--slurm belongs to --launcher slurm/);
    expect(said(...whole, "--task-data", folder.path)).toMatch(/^1: .*--task-data belongs to a task/);
    expect(said("--tokens", "many", "--test", data)).toMatch(/^2: .*an amount/);
    expect(said("--tokens", "1", "--test", data, "--output", join(folder.path, "poor"))).toMatch(
      /^1: .*does not pay for one run/,
    );
    const own = said(
      "--runs",
      "1",
      "--test",
      join(folder.path, "rows.json"),
      "--output",
      join(folder.path, "own"),
    );
    expect(own).toMatch(/^1: .*24 of 24 test rows are among the rows/);
  });
});
