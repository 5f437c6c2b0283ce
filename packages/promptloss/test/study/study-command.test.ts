// `promptloss study` as a user runs it, over a tiny model: what is done is not done again, what fails is isolated, what
// is killed goes on, and two launchers share the work.
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readStudyResults, writeStudyResults } from "../../src/study/results/index.ts";
import { readTable } from "../../src/study/table/table-file.ts";
import { readMetrics } from "../../src/training/events/metrics-file.ts";
import { promptloss, startPromptloss } from "../command.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";
import { studyResults } from "./made-results.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

const BASE = "{ model: model, data: rows.json, maxLength: 256, evaluation: { rows: 4 }";

/** Writes a study over the folder's model and rows. */
function studyFile(name: string, factors: string, training: string, more = ""): string {
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(
    file,
    `recipe: ${BASE}, training: ${training} }\nfactors: ${factors}\noutput: ${join(folder.path, name)}\n${more}`,
  );
  return file;
}

const SHORT = "{ epochs: 1, batchSize: 10, learningRate: 1e-3 }";

interface Report {
  readonly id: string;
  readonly levels: Readonly<Record<string, string | number>>;
  readonly status: string;
  readonly attempts: number;
  readonly failure?: { readonly message: string; readonly during: string };
}

function status(file: string): { counts: Record<string, number>; cells: Report[] } {
  return JSON.parse(promptloss(["study", "status", file, "--json"]).stdout);
}

function startsOf(stdout: string): string[] {
  return stdout
    .split("\n")
    .filter((line) => line.includes('"cell-start"'))
    .map((line) => JSON.parse(line).cell.id as string);
}

describe("promptloss study", () => {
  test("runs all cells, collects one table, and does only what is missing when run again", () => {
    const file = studyFile("whole", "{ plw: [0, 0.1, 1], seed: [1, 2] }", SHORT);
    const first = promptloss(["study", "run", file, "--concurrency", "2", "--events"]);
    expect([first.status, first.stderr]).toEqual([0, ""]);
    expect(new Set(startsOf(first.stdout)).size).toBe(6);
    const table = readTable(join(folder.path, "whole/results.jsonl"));
    expect(readTable(join(folder.path, "whole/results.csv"))).toHaveLength(table.length);
    expect(new Set(table.map(({ metric }) => metric))).toEqual(
      new Set([
        ...["prompt", "content", "end", "completion"].flatMap((part) => [`${part}_loss`, `${part}_accuracy`]),
        "weighted_loss",
      ]),
    );
    for (const row of table) {
      expect([row.study, row.task, typeof row.value, typeof row.rg]).toEqual([
        "whole",
        "held-out",
        "number",
        "number",
      ]);
      expect(row.probe_distance_l2).toBeGreaterThan(0);
    }
    const { rows } = readStudyResults(join(folder.path, "whole"));
    expect(rows.filter(({ primary }) => primary)).toHaveLength(6);
    expect(existsSync(join(folder.path, "whole/cells", rows[0]!.cell, "run/checkpoints"))).toBe(false);

    const again = promptloss(["study", "run", file, "--events"]);
    expect(startsOf(again.stdout)).toEqual([]);
    studyFile("whole", "{ plw: [0, 0.2, 1], seed: [1, 2] }", SHORT);
    const changed = promptloss(["study", "run", file, "--events"]);
    expect(startsOf(changed.stdout)).toHaveLength(2);
    const weights = readStudyResults(join(folder.path, "whole")).rows.map(({ plw }) => plw);
    expect(new Set(weights)).toEqual(new Set([0, 0.2, 1]));
    const models = promptloss(["study", "results", file]);
    // Three weights are compared, not joined by a curve.
    expect(models.stdout).toMatch(/6 of 6 cells[\s\S]*less that of 0[\s\S]*a curve needs 4 weights or more/);
  });

  test("run --json prints what was done, and nothing else; --set changes every cell", () => {
    const file = studyFile("as-json", "{ plw: [0, 1] }", SHORT);
    const args = ["study", "run", file, "--json", "--set", "training.weightDecay=0.25"];
    const first = promptloss(args);
    expect([first.status, first.stderr]).toEqual([0, ""]);
    const output = join(folder.path, "as-json");
    expect(JSON.parse(first.stdout)).toMatchObject({ done: 2, failed: 0, output });
    for (const cell of readdirSync(join(output, "cells"))) {
      const manifest = readFileSync(join(output, "cells", cell, "run/manifest.json"), "utf8");
      expect(JSON.parse(manifest).recipe.training.weightDecay).toBe(0.25);
    }
    expect(JSON.parse(promptloss(args).stdout)).toMatchObject({ done: 0, failed: 0, untouched: 2 });
    const failing = promptloss([...args, "--set", "data=none.json"]);
    expect([failing.status, JSON.parse(failing.stdout)]).toEqual([
      1,
      expect.objectContaining({ done: 0, failed: 2, output }),
    ]);
    expect(JSON.parse(failing.stderr).error.message).toBe("2 of 2 cells failed");
  });

  test("cells of a table that is kept beside the study file are not run again, wherever they were run", () => {
    const kept = join(folder.path, "kept-table");
    const more = "results: kept-table\n";
    const file = studyFile("kept", "{ plw: [0, 1], seed: [1] }", SHORT, more);
    expect(startsOf(promptloss(["study", "run", file, "--events"]).stdout)).toHaveLength(2);
    const before = readStudyResults(kept);
    expect(before.rows.map(({ cell }) => cell)).toEqual(
      readStudyResults(join(folder.path, "kept")).rows.map(({ cell }) => cell),
    );

    rmSync(join(folder.path, "kept"), { recursive: true });
    expect(status(file).counts).toMatchObject({ done: 2, waiting: 0 });
    const again = promptloss(["study", "run", file, "--events"]);
    expect([again.status, startsOf(again.stdout)]).toEqual([0, []]);
    expect(readStudyResults(join(folder.path, "kept"))).toEqual(before);

    studyFile("kept", "{ plw: [0, 0.1, 1], seed: [1] }", SHORT, more);
    expect(startsOf(promptloss(["study", "run", file, "--events"]).stdout)).toHaveLength(1);
    const grown = readStudyResults(kept);
    expect(new Set(grown.rows.map(({ plw }) => plw))).toEqual(new Set([0, 0.1, 1]));
    expect(grown.rows.filter(({ plw }) => plw !== 0.1)).toEqual(before.rows);

    // Scores of another task's settings are none of this study.
    const header = JSON.parse(readFileSync(join(kept, "study.json"), "utf8"));
    header.tasks[0].address = "other";
    writeFileSync(join(kept, "study.json"), JSON.stringify(header));
    rmSync(join(folder.path, "kept"), { recursive: true });
    expect(status(file).counts).toMatchObject({ done: 0, waiting: 3 });

    writeFileSync(join(kept, "study.json"), "{");
    const broken = promptloss(["study", "status", file]);
    expect([broken.status, broken.stderr]).toEqual([1, expect.stringContaining("study.json")]);
  });

  test("a failure is written down, harms no other cell, and is retried on request", () => {
    const data = join(folder.path, "later.json");
    const file = studyFile("fails", `{ data: [rows.json, later.json] }`, SHORT);
    rmSync(data, { force: true });
    const first = promptloss(["study", "run", file]);
    expect(first.status).toBe(1);
    expect(first.stdout).toMatch(/✓ .*data rows\.json/);
    expect(first.stdout).toMatch(/✗ .*data later\.json/);
    expect(first.stderr).toMatch(/1 of 2 cells failed/);
    const failed = status(file).cells.find((cell) => cell.status === "failed")!;
    expect(failed.failure).toMatchObject({
      during: "training",
      message: expect.stringContaining("later.json"),
    });
    expect(promptloss(["study", "status", file]).stdout).toMatch(
      /1\/2 done, 0 running, 0 waiting, 1 failed[\s\S]*✗/,
    );

    writeFileSync(data, readFileSync(join(folder.path, "rows.json")));
    expect(startsOf(promptloss(["study", "run", file, "--events"]).stdout)).toEqual([]);
    // The same address: where a level's file lies is taken from beside the study, there or not.
    const retried = promptloss(["study", "run", file, "--retry"]);
    expect([retried.status, retried.stderr]).toEqual([0, ""]);
    expect(status(file).counts).toEqual({ waiting: 0, running: 0, done: 2, failed: 0 });
  });

  test("a study that was killed goes on where its cells were", async () => {
    const file = studyFile(
      "killed",
      "{ plw: [0.5], seed: [1, 2] }",
      "{ steps: 60, batchSize: 4, learningRate: 1e-3 }",
      "set: { checkpoints: { every: 1, keep: 1 } }\n",
    );
    const launcher = startPromptloss(["study", "run", file, "--events"]);
    await untilStep(launcher, 5);
    launcher.kill("SIGKILL");
    await once(launcher, "close");
    // Its training process may live on: the next launcher waits for it, then goes on from what it left.
    const second = promptloss(["study", "run", file, "--events"]);
    expect([second.status, second.stderr]).toEqual([0, ""]);
    expect(status(file).counts).toEqual({ waiting: 0, running: 0, done: 2, failed: 0 });
    for (const { id } of status(file).cells) {
      const steps = readMetrics(join(folder.path, "killed/cells", id, "run/metrics.jsonl"))
        .filter(({ type }) => type === "step")
        .map(({ step }) => step);
      expect(steps).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    }
  });

  test("Ctrl-C ends it after the step at hand; the cell is waiting, not failed", async () => {
    const file = studyFile("stopped", "{ plw: [0.5] }", "{ steps: 200, batchSize: 4, learningRate: 1e-3 }");
    const launcher = startPromptloss(["study", "run", file, "--events"]);
    await untilStep(launcher, 3);
    launcher.kill("SIGINT");
    const [code] = (await once(launcher, "close")) as [number];
    expect(code).toBe(130);
    expect(status(file).counts).toEqual({ waiting: 1, running: 0, done: 0, failed: 0 });
    const [cell] = status(file).cells;
    const reached = readMetrics(join(folder.path, "stopped/cells", cell!.id, "run/metrics.jsonl")).at(
      -1,
    )!.step;
    const second = promptloss(["study", "run", file, "--events"]);
    expect(second.status).toBe(0);
    expect(second.stdout).toContain(`"firstStep":${reached}`);
  });

  test("two launchers share a study and never run a cell twice", async () => {
    const file = studyFile("shared", "{ plw: [0, 0.5, 1], seed: [1, 2] }", SHORT);
    const launchers = [0, 1].map(() => startPromptloss(["study", "run", file, "--events"]));
    const outputs = await Promise.all(
      launchers.map(async (launcher) => {
        let stdout = "";
        launcher.stdout.on("data", (data: Buffer) => {
          stdout += data.toString();
        });
        await once(launcher, "close");
        return stdout;
      }),
    );
    const starts = outputs.flatMap(startsOf);
    expect(starts).toHaveLength(6);
    expect(new Set(starts).size).toBe(6);
    expect(status(file).cells.every(({ attempts }) => attempts === 1)).toBe(true);
    const written = new Set(readStudyResults(join(folder.path, "shared")).rows.map(({ cell }) => cell));
    expect(written.size).toBe(6);
  });

  test("plans in a table and as JSON", () => {
    const file = studyFile("plan", "{ plw: paper }", SHORT, "tokensPerSecond: 100\n");
    const { cells, totals } = JSON.parse(promptloss(["study", "plan", file, "--json"]).stdout);
    expect(cells).toHaveLength(10);
    expect(totals.seconds).toBeCloseTo(totals.tokens / 100, 6);
    const text = promptloss(["study", "plan", file]).stdout;
    expect(text).toMatch(/^cell +plw +Rg +steps +tokens +time +disk +state\n/);
    expect(text).toContain(`${cells[3].id}  ${cells[3].levels.plw}`);
    expect(text).toMatch(/plan: 10 cells into/);
    expect(text).toMatch(
      /power +10 levels of plw with 1 cell each, 0 residual degrees of freedom in the t-tests below, 7 for a verdict(?!:)/,
    );
  });

  test("says before anything runs which difference the design can show, from defaults or a pilot's noise", () => {
    const pilot = join(folder.path, "pilot");
    mkdirSync(pilot, { recursive: true });
    writeStudyResults(pilot, studyResults({ ratios: [0.1] }));
    const file = studyFile("power", "{ plw: [0, 0.1, 1], seed: [1, 2, 3, 4] }", SHORT);
    const { power } = JSON.parse(promptloss(["study", "plan", file, "--json"]).stdout);
    expect(power).toMatchObject({
      factor: "plw",
      levels: 3,
      cellsPerLevel: 4,
      residualDf: 9,
      verdictDf: 6,
      verdict: true,
    });
    expect(power.tasks[0]).toMatchObject({ metric: "content_loss", unit: "nats", noise: { run: 0.02 } });
    // 0.02 nats, two means of four: a standard error of 0.0141, and about 3.2 of those with 9 degrees of freedom.
    expect(power.tasks[0].detectable.pair).toBeCloseTo(0.045, 2);
    const text = promptloss(["study", "plan", file, "--pilot", pilot]).stdout;
    expect(text).toMatch(/held-out content_loss: 80 % power for 0\.04\d nats between two levels/);
    expect(text).toMatch(/for 0\.01 nats: \d+ seeds; for 0\.02 nats: \d+ seeds/);
    expect(text).toContain("noise by a default of ours: 0.02 nats a run");
  });

  test("plans several studies one after the other", () => {
    const files = ["one", "two"].map((name, i) => studyFile(name, `{ plw: [0, ${(i + 1) / 2}] }`, SHORT));
    const { stdout, status } = promptloss(["study", "plan", ...files]);
    expect([status, stdout.match(/study +(one|two): 2 cells into/g)]).toEqual([0, expect.any(Array)]);
    expect(stdout.match(/study +(one|two): 2 cells into/g)).toHaveLength(2);
    const plans = JSON.parse(promptloss(["study", "plan", ...files, "--json"]).stdout);
    expect(plans.map(({ name }: { name: string }) => name)).toEqual(["one", "two"]);
    expect(promptloss(["study", "plan", ...files, "--output", "x"]).stderr).toContain(
      "--output is one study's folder",
    );
  });

  test("measures the speed of a model that no cell has trained yet, and leaves nothing behind", () => {
    const file = studyFile("speed", "{ plw: [0, 1] }", SHORT);
    const unknown = JSON.parse(promptloss(["study", "plan", file, "--json"]).stdout);
    const ofTime = (all: string[]): number => all.filter((note) => note.startsWith("time: ")).length;
    expect([unknown.totals.seconds, ofTime(unknown.notes)]).toEqual([undefined, 1]);
    const { totals, notes } = JSON.parse(promptloss(["study", "plan", file, "--measure", "--json"]).stdout);
    expect(ofTime(notes)).toBe(0);
    expect(totals.seconds).toBeGreaterThan(0);
    expect(existsSync(join(folder.path, "speed"))).toBe(false);
    const broken = promptloss(["study", "plan", file, "--measure", "--set", "data=none.json"]);
    expect(broken.stderr).toMatch(/^error: cell [0-9a-f]{12}: its speed could not be measured: .*none\.json/);
  });

  test("without Slurm's commands its launcher says so, and status still reads the folder", () => {
    const file = studyFile("queue", "{ plw: [0] }", SHORT);
    const path = process.env.PATH;
    process.env.PATH = join(folder.path, "empty");
    try {
      const { status: code, stderr } = promptloss(["study", "run", file, "--launcher", "slurm"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/sbatch can't be run[\s\S]*hint: .*--launcher local/);
      expect(status(file).counts.waiting).toBe(1);
    } finally {
      process.env.PATH = path;
    }
  });

  test("refuses ids of no cell, and assignments that are none", () => {
    const file = studyFile("refuse", "{ plw: [0] }", SHORT);
    const said = (...args: string[]): string => {
      const { status: code, stderr } = promptloss(["study", ...args]);
      return `${code}: ${stderr}`;
    };
    expect(said("run", file, "--cell", "abc")).toMatch(/^1: error: .*there is no cell abc/);
    expect(said("plan", file, "--set", "training")).toMatch(/^1: error: .*training is not an assignment/);
    expect(said("plan", file, "--set", "training.epoch=1")).toMatch(/^1: error: .*did you mean epochs/);
    expect(said("plan")).toMatch(/^2: /);
    expect(said("plann", file)).toMatch(/^2: /);
  });
});

/** Resolves when a cell has done so many steps. */
async function untilStep(launcher: ReturnType<typeof startPromptloss>, step: number): Promise<void> {
  const lines = createInterface({ input: launcher.stdout });
  for await (const line of lines) {
    const { event } = JSON.parse(line) as { event?: { type: string; step: number } };
    if (event?.type === "step" && event.step >= step) break;
  }
  launcher.stdout.resume();
}
