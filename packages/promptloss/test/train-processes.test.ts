// `promptloss train` in several processes, started by itself and by a launcher: one run, the same as one process's.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { distributedBackends } from "@promptloss/torch/distributed";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { compiled } from "../../../test/compiled.ts";
import { needs } from "../../../test/needs.ts";
import { freePort, rankEnvironment } from "../../torch/test/support/ranks.ts";
import { seededDraw } from "../src/data/packing/random.ts";
import type { TrainingEvent } from "../src/training/events/event.ts";
import { type MetricsLine, readMetrics } from "../src/training/events/metrics-file.ts";
import type { Manifest } from "../src/training/manifest.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const program = compiled("packages/promptloss", "cli/main.js");

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

function start(
  args: readonly string[],
  env: Record<string, string> = {},
  onEvent: (event: TrainingEvent, child: ChildProcess) => void = () => {},
): Started {
  const child = spawn(process.execPath, [program, "train", ...args], {
    cwd: folder.path,
    env: { ...process.env, XDG_CACHE_HOME: join(folder.path, "cache"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  if (args.includes("--events"))
    createInterface({ input: child.stdout }).on("line", (line) => onEvent(JSON.parse(line), child));
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (status) => resolve({ status, stdout, stderr })),
  );
  return { child, ended };
}

function manifestOf(run: string): Manifest {
  return JSON.parse(readFileSync(join(folder.path, run, "manifest.json"), "utf8"));
}

function stepsOf(run: string): readonly MetricsLine[] {
  return readMetrics(join(folder.path, run, "metrics.jsonl"));
}

function weightsOf(run: string): Buffer {
  return readFileSync(join(folder.path, run, "model", "model.safetensors"));
}

function expectSameLosses(run: string, other: string): void {
  const [found, expected] = [stepsOf(run), stepsOf(other)];
  expect(found.map(({ type, step }) => [type, step])).toEqual(expected.map(({ type, step }) => [type, step]));
  for (const [index, { loss, content }] of found.entries()) {
    // Float32's rounding over six steps.
    expect(Math.abs(loss - expected[index]!.loss) / expected[index]!.loss).toBeLessThan(1e-5);
    expect(content!.tokens).toBe(expected[index]!.content!.tokens);
  }
}

const RECIPE = `
loss: { promptLossWeight: 0.1 }
evaluation: { rows: 4, every: epoch }
checkpoints: { every: 2, keep: 2 }
`;

function recipe(name: string, training: string): string {
  const common = "epochs: 2, batchSize: 8, learningRate: 1e-2, precision: float32, logEvery: 1";
  return folder.recipe(name, `${RECIPE}training: { ${common}, processTimeout: 60${training} }\n`);
}

/** A process's children. */
function childrenOf(pid: number): number[] {
  return execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map(Number);
}

const groups = needs("processGroups", distributedBackends().includes("gloo"));

const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const hasTorchrun = spawnSync(python, ["-c", "import torch.distributed.run"]).status === 0;

groups.describe("promptloss train in several processes", () => {
  needs("python", hasTorchrun).test("torchrun starts them", async () => {
    expect((await start([recipe("alone", "")]).ended).status).toBe(0);
    const torchrun = ["-m", "torch.distributed.run", "--no-python", "--nproc-per-node", "2", "--master-port"];
    const command = [process.execPath, program, "train", recipe("launched", "")];
    const { status, stdout, stderr } = spawnSync(
      python,
      [...torchrun, String(await freePort()), ...command],
      { cwd: folder.path, encoding: "utf8" },
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^on +cpu, float32, 1 thread in each of 2 processes$/m);
    expect(manifestOf("launched")).toMatchObject({ processes: 2, end: { reason: "completed", step: 6 } });
    expectSameLosses("launched", "alone");
  });

  test("gives the run of one process, however they are started", async () => {
    const one = await start([recipe("one", "")]).ended;
    expect([one.status, one.stderr]).toEqual([0, ""]);

    const two = await start([recipe("two", ""), "--processes", "2"]).ended;
    expect([two.status, two.stderr]).toEqual([0, ""]);
    expect(two.stdout).toMatch(/^on +cpu, float32, 1 thread in each of 2 processes$/m);
    expectSameLosses("two", "one");
    expect(manifestOf("two")).toMatchObject({ processes: 2, end: { reason: "completed", step: 6 } });
    // All processes' tokens, as one's.
    expect(manifestOf("two").end).toMatchObject({
      tokens: (manifestOf("one").end as { tokens: number }).tokens,
    });
    expect(readdirSync(join(folder.path, "two")).sort()).toEqual(
      readdirSync(join(folder.path, "one")).sort(),
    );
    expect(readdirSync(join(folder.path, "two", "tensorboard"))).toHaveLength(1);

    const file = recipe("three", "");
    const port = await freePort();
    const ranks = await Promise.all(
      [0, 1, 2].map((rank) => start([file], rankEnvironment(rank, 3, port)).ended),
    );
    expect(ranks.map(({ status, stderr }) => [status, stderr])).toEqual(Array(3).fill([0, ""]));
    expect(ranks[0]!.stdout).toContain("done after 6 steps");
    // The first alone speaks.
    expect([ranks[1]!.stdout, ranks[2]!.stdout]).toEqual(["", ""]);
    expectSameLosses("three", "one");

    const again = await start([recipe("two", ""), "--processes", "2"]).ended;
    expect([again.status, again.stderr]).toEqual([0, ""]);
    expect(again.stdout).toContain("holds this very run, finished");
  });

  test("goes on bit for bit after an interruption, each process's dropout too", async () => {
    const training = ", processes: 2, dropout: 0.2";
    expect((await start([recipe("whole", training)]).ended).status).toBe(0);
    const file = recipe("parts", training);
    const first = await start([file, "--events"], {}, (event, child) => {
      if (event.type === "step" && event.step === 1) child.kill("SIGTERM");
    }).ended;
    expect([first.status, first.stderr]).toEqual([143, ""]);
    expect(manifestOf("parts").end!.reason).toBe("interrupted");
    expect(existsSync(join(folder.path, "parts", "model"))).toBe(false);
    const second = await start([file]).ended;
    expect([second.status, second.stderr]).toEqual([0, ""]);
    expect(second.stdout).toContain("resuming after step");
    expect(weightsOf("parts").equals(weightsOf("whole"))).toBe(true);
    // Without it the two above would be alike for no reason.
    expect((await start([recipe("plain", ", processes: 2")]).ended).status).toBe(0);
    expect(weightsOf("plain").equals(weightsOf("whole"))).toBe(false);
  });

  test("ends where one of them is killed, and says which", async () => {
    let isKilled = false;
    const args = [recipe("killed", ""), "--processes", "3", "--events", "--set", "training.epochs=2000"];
    const { status, stdout } = await start(args, {}, (event, child) => {
      if (event.type !== "step" || event.step < 3 || isKilled) return;
      isKilled = true;
      const [trainer] = childrenOf(child.pid!);
      // Rank 1 was started first, and has the lower id.
      process.kill(Math.min(...childrenOf(trainer!)), "SIGKILL");
    }).ended;
    expect(status).toBe(1);
    const last = JSON.parse(stdout.trim().split("\n").at(-1)!);
    expect(last).toMatchObject({ type: "error", name: "ProcessGroupError" });
    expect(last.message).toMatch(
      /^rank 0 of 3, [\w-]+ \d+: rank 1 gives no sign of life any more \(.*, process \d+\)$/,
    );
    expect(manifestOf("killed").end).toMatchObject({
      reason: "failed",
      error: { name: "ProcessGroupError" },
    });
  });

  test("loses nothing where each of processes that divide all is killed once, at some moment", {
    timeout: 400_000,
  }, async () => {
    const training = ", processes: 3, sharding: full, dropout: 0.1, kl: { coefficient: 0.1 }, steps: 8";
    const withSteps = (name: string): string => {
      const file = recipe(name, training);
      const text = readFileSync(file, "utf8").replace("epochs: 2, ", "").replace("every: 2", "every: 1");
      writeFileSync(file, text.replace("processTimeout: 60", "processTimeout: 30"));
      return file;
    };
    expect((await start([withSteps("unharmed")]).ended).status).toBe(0);
    const file = withSteps("harmed");
    const draw = seededDraw(7);
    for (let rank = 0; rank < 3; rank++) {
      const [after, moment] = [1 + draw(2), draw(150)];
      let steps = 0;
      const { status } = await start([file, "--events"], {}, (event, child) => {
        if (event.type !== "step" || ++steps !== after) return;
        setTimeout(() => {
          const [trainer] = childrenOf(child.pid!);
          const ranks = [trainer!, ...childrenOf(trainer!).sort((a, b) => a - b)];
          process.kill(ranks[rank]!, "SIGKILL");
        }, moment);
      }).ended;
      expect(status).not.toBe(0);
    }
    const last = await start([file]).ended;
    expect([last.status, last.stderr]).toEqual([0, ""]);
    expect(last.stdout).toContain("resuming after step");
    expect(weightsOf("harmed").equals(weightsOf("unharmed"))).toBe(true);
    const losses = (run: string) => stepsOf(run).map(({ step, loss }) => [step, loss]);
    expect(losses("harmed")).toEqual(losses("unharmed"));
  });

  test("refuses what does not go together", async () => {
    const place = rankEnvironment(0, 2, 29_500);
    const clash = await start([recipe("clash", ", processes: 4")], place).ended;
    expect([clash.status, clash.stdout]).toEqual([1, ""]);
    expect(clash.stderr).toContain("training.processes: 4, but the launcher started 2");
  });
});
