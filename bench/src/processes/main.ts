// Several processes that train a LLaMA of 148 M parameters with random weights, under each way to divide its state:
// `npm run bench:processes`. Memory of a process beside the plan's formula, what a step takes, and the share of waiting.
// On a machine that does other things too, memory figures hold and times do not: `-- --no-times` leaves them out.
// `-- --only 4,full` measures that setting beside one process, and prints only.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { environmentOf } from "@promptloss/torch/distributed";
import { saveModel } from "promptloss";
import { createModel, parseModelConfig } from "promptloss/models";
import { beginMeasuring } from "../lib/conditions.ts";
import { machine, writeSection } from "../lib/report.ts";
import { DRAWN } from "../training/cases.ts";
import { MODES, type Mode, type RankAnswer } from "./protocol.ts";
import { type Figures, type Measured, microBatchTokens, sectionOf } from "./section.ts";

const ROWS = 8;
const TOKENS = 64;
/** Of a step of the size that fine-tuning takes, where what travels between processes is shared by more tokens. */
const MANY_ROWS = 64;
const worker = fileURLToPath(new URL("worker.js", import.meta.url));

const noTimes = process.argv.includes("--no-times");
if (!noTimes) beginMeasuring();
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
/** Memory is that of every step after the first. */
const STEPS = noTimes ? 1 : 5;
const MANY_ROWS_STEPS = 3;
const place = mkdtempSync(join(tmpdir(), "promptloss-processes-"));

interface Setting {
  readonly mode: Mode;
  readonly processes: number;
  /** Of each process. */
  readonly threads: number;
}

/** What a step trains on, and how many are measured. */
interface Steps {
  readonly rows: number;
  readonly steps: number;
}

/** Ids alone count here; every row is as long as the others, so that processes have equal shares. */
function writeRows({ rows, steps }: Steps): string {
  const path = join(place, `rows-${rows}.json`);
  const row = (place: number) => ({
    input_ids: Array.from({ length: TOKENS }, (_, i) => 1 + ((place * 7919 + i * 104729) % 31_999)),
    completion_mask: Array.from({ length: TOKENS }, (_, i) => (i < TOKENS / 4 ? 0 : 1)),
  });
  writeFileSync(path, JSON.stringify(Array.from({ length: rows * (steps + 1) }, (_, i) => row(i))));
  return path;
}

async function measure({ mode, processes, threads }: Setting, { rows, steps }: Steps): Promise<RankAnswer[]> {
  const recipe = {
    model: join(place, "model"),
    data: { path: writeRows({ rows, steps }), format: "tokens" },
    output: join(place, `run-${mode}-${processes}-${rows}`),
    loss: { promptLossWeight: 0.1 },
    training: {
      steps: steps + 1,
      batchSize: rows,
      microBatchTokens: microBatchTokens(rows * TOKENS),
      order: "as-given",
      precision: "bfloat16",
      device: "cpu",
      threads,
      sharding: mode,
    },
    checkpoints: { every: "never" },
  };
  const port = await freePort();
  const args = [worker, JSON.stringify({ recipe, steps })];
  return Promise.all(
    Array.from({ length: processes }, (_, rank) => {
      const placement = {
        rank,
        size: processes,
        localRank: rank,
        localSize: processes,
        address: "127.0.0.1",
        port,
      };
      const child = spawn(process.execPath, args, {
        env: {
          ...process.env,
          ...(processes > 1 && environmentOf(placement)),
          OMP_NUM_THREADS: String(threads),
        },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let stdout = "";
      child.stdout.on("data", (chunk) => {
        stdout += chunk;
      });
      return new Promise<RankAnswer>((resolve, reject) =>
        child.once("close", (status) =>
          status === 0
            ? resolve(JSON.parse(stdout.trim().split("\n").at(-1)!))
            : reject(new Error(`${mode}, ${processes} processes: rank ${rank} ended with ${status}`)),
        ),
      );
    }),
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

try {
  mkdirSync(join(place, "model"), { recursive: true });
  const model = createModel(parseModelConfig(DRAWN.large), { seed: 1, dtype: "bfloat16", trainable: false });
  const parameters = [...model.parameters.values()].reduce((sum, { numel }) => sum + numel, 0);
  saveModel(model, join(place, "model"));
  model.free();
  const cores = availableParallelism();
  const settings: Setting[] = [
    { mode: "none", processes: 1, threads: cores },
    ...[2, 4].flatMap((processes) =>
      MODES.map((mode) => ({ mode, processes, threads: Math.max(1, Math.floor(cores / processes)) })),
    ),
  ];
  const measured: Measured[] = [];
  const chosen = settings.filter(
    ({ mode, processes }) => only === undefined || processes === 1 || only === `${processes},${mode}`,
  );
  if (only !== undefined && chosen.length < 2)
    throw new Error(`--only ${only}: settings are 2,none to 4,full`);
  for (const setting of chosen) {
    const ranks = await measure(setting, { rows: ROWS, steps: STEPS });
    measured.push({ ...setting, ranks });
    console.error(`${setting.processes} × ${setting.mode}: done`);
  }
  const larger: Measured[] = [];
  for (const setting of noTimes ? [] : chosen) {
    if (setting.mode !== "none" || setting.processes > 2) continue;
    const ranks = await measure(setting, { rows: MANY_ROWS, steps: MANY_ROWS_STEPS });
    larger.push({ ...setting, ranks });
    console.error(`${setting.processes} × ${setting.mode}, ${MANY_ROWS} rows a step: done`);
  }
  const figures: Figures = {
    ...{ machine: machine(), parameters, cores, rows: ROWS, tokens: TOKENS, steps: STEPS, measured },
    ...(larger.length === 2 && { larger: { rows: MANY_ROWS, measured: larger } }),
    times: !noTimes,
    load: loadavg()[0] ?? 0,
  };
  console.log(sectionOf(figures));
  if (only === undefined) writeSection("processes", sectionOf(figures), figures);
} finally {
  rmSync(place, { recursive: true, force: true });
}
