// The Slurm launcher against a real Slurm of one node: array jobs, their states, failures, canceled tasks, submission
// again. Skipped where Slurm is not installed.
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { readMetrics } from "../../src/training/events/metrics-file.ts";
import { promptloss } from "../command.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";
import { type OneNodeSlurm, startSlurm, whyNoSlurm } from "./one-node-slurm.ts";

/** For daemons and jobs on a machine that is busy with other things. */
const PATIENCE_MS = 300_000;

const missing = whyNoSlurm();

interface Status {
  readonly counts: Readonly<Record<"waiting" | "running" | "done" | "failed", number>>;
  readonly cells: readonly {
    readonly id: string;
    readonly levels: Readonly<Record<string, string>>;
    readonly status: string;
    readonly attempts: number;
    readonly step?: number;
    readonly slurm?: {
      readonly id: string;
      readonly state: string;
      readonly active: boolean;
      readonly reason: string;
    };
  }[];
}

needs("slurm", missing === undefined).describe("Slurm", () => {
  let folder: TrainingFolder;
  let starting: Promise<OneNodeSlurm>;
  let slurm: OneNodeSlurm;
  beforeAll(async () => {
    folder = trainingFolder();
    starting = startSlurm();
    slurm = await starting;
  }, PATIENCE_MS);
  afterAll(async () => {
    // Daemons end even where the hook above did not wait for them.
    await (await starting).stop();
    folder.remove();
  }, PATIENCE_MS);

  const studyFile = (name: string, text: string): string => {
    const file = join(folder.path, `${name}.yaml`);
    const recipe = "{ model: model, data: rows.json, maxLength: 256, evaluation: { rows: 4 } }";
    writeFileSync(file, `recipe: ${recipe}\noutput: ${join(folder.path, `${name} runs`)}\n${text}`);
    return file;
  };

  const run = (file: string, ...args: string[]): string => {
    const { status, stdout, stderr } = promptloss(["study", "run", file, "--launcher", "slurm", ...args]);
    expect([status, stderr]).toEqual([0, ""]);
    return stdout;
  };

  const status = (file: string): Status => JSON.parse(promptloss(["study", "status", file, "--json"]).stdout);

  /** Polls until something holds, and no task of the study waits or runs where `settled`. */
  const until = async (file: string, holds: (status: Status) => boolean): Promise<Status> => {
    for (let tries = 0; tries < 200; tries++) {
      const found = status(file);
      if (holds(found)) return found;
      await setTimeout(300);
    }
    throw new Error(`still ${JSON.stringify(status(file), null, 1)}`);
  };
  /** Gone from the queue, and in the accounts, which are written later. */
  const settled = ({ cells }: Status): boolean =>
    cells.every(({ slurm: task }) => !task?.active && task?.reason !== "not in the accounts yet");

  test(
    "an array job runs all cells; what failed is submitted again on request",
    async () => {
      const file = studyFile(
        "array",
        `factors: { data: [rows.json, later.json], plw: [0, 1] }
exclude: [{ data: later.json, plw: 1 }]
set: { training: { epochs: 1, batchSize: 10 } }
slurm: { partition: test, time: "10:00", concurrency: 2, cpus: 1, setup: ["export PROMPTLOSS_STUDY_TEST=1"] }
`,
      );
      expect(run(file)).toMatch(/^job \d+: 3 cells, by .*slurm\/1\/job\.sh\n/);
      expect(run(file)).toMatch(/^there is nothing to submit/);
      const first = await until(file, (each) => settled(each) && each.counts.running === 0);
      expect(first.counts).toEqual({ waiting: 0, running: 0, done: 2, failed: 1 });
      const failed = first.cells.find((cell) => cell.status === "failed")!;
      expect(failed.levels.data).toBe("later.json");
      if (slurm.accounting) expect(failed.slurm).toMatchObject({ state: "FAILED", reason: "exit code 1" });

      writeFileSync(join(folder.path, "later.json"), readFileSync(join(folder.path, "rows.json")));
      expect(run(file)).toMatch(/^there is nothing to submit/);
      expect(run(file, "--retry")).toMatch(/^job \d+: 1 cell/);
      const second = await until(file, ({ counts }) => counts.done === 3);
      expect(second.cells.map(({ attempts }) => attempts).sort()).toEqual([1, 1, 2]);
    },
    PATIENCE_MS,
  );

  test(
    "--strict holds in the tasks of a job",
    async () => {
      const config = JSON.parse(readFileSync(join(folder.path, "model", "config.json"), "utf8")) as object;
      cpSync(join(folder.path, "model"), join(folder.path, "odd"), { recursive: true });
      writeFileSync(join(folder.path, "odd", "config.json"), JSON.stringify({ ...config, odd_key: 1 }));
      const file = studyFile(
        "strict",
        `factors: { model: [odd] }
set: { training: { epochs: 1, batchSize: 10 } }
slurm: { partition: test, time: "10:00", cpus: 1 }
`,
      );
      expect(run(file, "--strict")).toMatch(/^job \d+: 1 cell/);
      await until(file, (each) => settled(each) && each.counts.failed === 1);
      expect(promptloss(["study", "status", file]).stdout).toContain("odd_key");
      expect(run(file, "--retry")).toMatch(/^job \d+: 1 cell/);
      await until(file, ({ counts }) => counts.done === 1);
    },
    PATIENCE_MS,
  );

  test(
    "a cell of two processes is one task's step of two, which train together",
    async () => {
      const file = studyFile(
        "together",
        `factors: { plw: [0.1] }
set: { training: { steps: 4, batchSize: 8, processes: 2, sharding: full, processTimeout: 120 } }
slurm: { partition: test, time: "10:00", cpus: 1 }
`,
      );
      expect(run(file)).toMatch(/^job \d+: 1 cell/);
      const { cells } = await until(file, (each) => settled(each) && each.counts.running === 0);
      expect(cells[0]).toMatchObject({ status: "done", attempts: 1 });
      const cell = join(folder.path, "together runs/cells", cells[0]!.id, "run");
      expect(JSON.parse(readFileSync(join(cell, "manifest.json"), "utf8"))).toMatchObject({
        processes: 2,
        threads: 1,
        end: { reason: "completed", step: 4 },
      });
    },
    PATIENCE_MS,
  );

  test(
    "a canceled task leaves its cell waiting, and its next job goes on from the checkpoint",
    async () => {
      const file = studyFile(
        "canceled",
        `factors: { plw: [0.5] }
set:
  training: { steps: 150, batchSize: 4 }
  checkpoints: { every: 5, keep: 1 }
slurm: { time: 10 }
`,
      );
      const [, job] = /^job (\d+)/.exec(run(file))!;
      const begun = await until(file, ({ cells }) => (cells[0]!.step ?? 0) >= 6);
      expect(begun.cells[0]!.slurm).toMatchObject({ id: `${job}_0`, state: "RUNNING", active: true });
      spawnSync("scancel", [job!]);
      const canceled = await until(file, (each) => settled(each) && each.counts.running === 0);
      expect(canceled.counts).toEqual({ waiting: 1, running: 0, done: 0, failed: 0 });
      if (slurm.accounting) expect(canceled.cells[0]!.slurm!.state).toBe("CANCELLED");
      expect(run(file)).toMatch(/: 1 cell, by .*slurm\/2\/job\.sh/);
      const { cells } = await until(file, ({ counts }) => counts.done === 1);
      const metrics = join(folder.path, "canceled runs/cells", cells[0]!.id, "run/metrics.jsonl");
      const steps = readMetrics(metrics).flatMap(({ type, step }) => (type === "step" ? [step] : []));
      expect(steps).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
    },
    PATIENCE_MS,
  );

  test(
    "a search takes its runs there",
    async () => {
      const recipe = folder.recipe(
        "searched",
        "maxLength: 256\nevaluation: { rows: 6, unit: row }\ntraining: { epochs: 1, batchSize: 8 }\n",
      );
      writeFileSync(
        join(folder.path, "test.json"),
        JSON.stringify([{ instruction: "Say pink.", output: "pink" }]),
      );
      const args = [
        ...["tune", recipe, "--runs", "2", "--weights", "0,1", "--learning-rates", "1e-3", "--batch", "2"],
        ...["--final-seeds", "1", "--test", join(folder.path, "test.json")],
        ...["--output", join(folder.path, "searched runs")],
        ...["--launcher", "slurm", "--slurm", "{ partition: test, time: 10 }", "--json"],
      ];
      const search = () => {
        const { status, stdout, stderr } = promptloss(args);
        expect([status, stderr]).toEqual([0, ""]);
        return JSON.parse(stdout);
      };
      let report = search();
      expect(report.waiting).toMatch(/^submitted; run the same command again/);
      for (
        const end = Date.now() + PATIENCE_MS;
        report.waiting !== undefined && Date.now() < end;
        report = search()
      )
        await setTimeout(1000);
      expect(report.runs.map(({ plw }: { plw: number }) => plw).sort()).toEqual([0, 1]);
      expect(report.test.arms.length).toBeGreaterThan(1);
    },
    PATIENCE_MS,
  );

  test("what Slurm refuses is said in its words", () => {
    const file = studyFile("refused", "factors: { plw: [0.5] }\nslurm: { partition: nowhere }\n");
    const { status: code, stderr } = promptloss(["study", "run", file, "--launcher", "slurm"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/sbatch failed: .*invalid partition/);
  });
});
