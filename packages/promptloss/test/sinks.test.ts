// `promptloss train` and `study run` with a tracking server beside them, in all the states that such a server can be in.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import type { TrainingEvent, WarningEvent } from "../src/training/events/event.ts";
import { readMetrics } from "../src/training/events/metrics-file.ts";
import { program } from "./command.ts";
import { MlflowServer } from "./mlflow-server.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const SECRET = "not-to-be-shown";

let folder: TrainingFolder;
let server: MlflowServer;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());
beforeEach(async () => {
  server = await new MlflowServer().start();
});
afterEach(() => server.stop());

interface Ended {
  readonly status: number | null;
  readonly events: readonly TrainingEvent[];
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  args: readonly string[],
  environment: Record<string, string> = {},
  onEvent: (event: TrainingEvent, child: ChildProcess) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder.path,
    env: {
      ...process.env,
      XDG_CACHE_HOME: join(folder.path, "cache"),
      MLFLOW_TRACKING_URI: server.uri,
      MLFLOW_TRACKING_TOKEN: SECRET,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const events: TrainingEvent[] = [];
  let [stdout, stderr] = ["", ""];
  createInterface({ input: child.stdout }).on("line", (line) => {
    stdout += `${line}\n`;
    if (!args.includes("--events")) return;
    events.push(JSON.parse(line));
    onEvent(events.at(-1)!, child);
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) =>
    child.once("close", (status) => resolve({ status, events, stdout, stderr })),
  );
}

const SHORT = "training: { steps: 6, batchSize: 4, logEvery: 2 }\ncheckpoints: { every: 2 }\n";
const MLFLOW = `${SHORT}evaluation: { rows: 4, unit: row, every: 3 }\nlogging: { reportTo: [tensorboard, mlflow, wandb], project: colours }\n`;

function warnings({ events }: Ended): WarningEvent[] {
  return events.filter((event) => event.type === "warning");
}

function steps(key = "train/loss"): number[] {
  return server.only.metrics.filter((metric) => metric.key === key).map(({ step }) => step);
}

/** All that lies in a folder, as one text. */
function everything(path: string): string {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

test("a run is on the server with the numbers of metrics.jsonl, and its secret is nowhere else", async () => {
  const ended = await run(["train", folder.recipe("whole", MLFLOW), "--events"]);
  expect([ended.status, ended.stderr, warnings(ended)]).toEqual([0, "", []]);
  const { only } = server;
  expect([only.name, only.status, [...server.experiments.keys()]]).toEqual([
    "whole",
    "FINISHED",
    ["colours"],
  ]);
  const metrics = readMetrics(join(folder.path, "whole/metrics.jsonl"));
  expect(only.metrics.filter(({ key }) => key.endsWith("/loss")).map(({ value }) => value)).toEqual(
    metrics.map(({ loss }) => loss),
  );
  expect(steps("held-out/loss")).toEqual([3, 6]);
  const offline = readdirSync(join(folder.path, "whole/wandb"), { recursive: true }).map(String);
  expect(offline.filter((name) => /^offline-run-\d{8}_\d{6}-(\w+)\/run-\1\.wandb$/.test(name))).toHaveLength(
    1,
  );
  const { authorization } = server.asked[0]!;
  expect(authorization).toBe(`Bearer ${SECRET}`);
  expect(everything(join(folder.path, "whole"))).not.toContain(SECRET);
  expect(ended.stdout).not.toContain(SECRET);
  expect(JSON.parse(readFileSync(join(folder.path, "whole/mlflow.json"), "utf8"))).toMatchObject({
    trackingUri: server.uri,
    runId: only.id,
    isWhole: true,
  });
});

test("a run that was interrupted goes on in the run that it was, and a new one is another", async () => {
  const recipe = folder.recipe("resumed", MLFLOW);
  const first = await run(["train", recipe, "--events"], {}, (event, child) => {
    if (event.type === "step" && event.step === 3) child.kill("SIGTERM");
  });
  expect(first.status).toBe(143);
  expect(server.only.status).toBe("KILLED");
  expect((await run(["train", recipe])).status).toBe(0);
  expect(steps()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(server.only.status).toBe("FINISHED");
  expect((await run(["train", recipe, "--set", "training.steps=8", "--extend"])).status).toBe(0);
  expect(steps()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect((await run(["train", recipe, "--overwrite"])).status).toBe(0);
  expect(server.runs.size).toBe(2);
});

needs("linux", process.platform === "linux").test(
  "SIGKILL loses nothing but what is done again",
  async () => {
    const recipe = folder.recipe("killed", MLFLOW);
    await run(["train", recipe, "--events"], {}, (event, child) => {
      if (event.type === "checkpoint" && event.step === 4) {
        const { pid } = child;
        // The program and the process that trains, which the program starts.
        for (const each of [...childrenOf(pid!), pid!]) process.kill(each, "SIGKILL");
      }
    });
    expect((await run(["train", recipe])).status).toBe(0);
    expect(steps()).toEqual([1, 2, 3, 4, 5, 6]);
  },
);

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
}

test.each([
  ["is gone", undefined],
  ["hangs", "hangs"],
] as const)(
  "a server that %s stops no run: it is told, and sent later by the same command",
  async (what, illness) => {
    const name = `ill-${what.replaceAll(" ", "-")}`;
    const recipe = folder.recipe(name, MLFLOW);
    if (illness === undefined) await server.stop();
    server.ill = () => illness;
    const ended = await run(["train", recipe, "--events"], { MLFLOW_HTTP_REQUEST_TIMEOUT: "0.5" });
    expect([ended.status, ended.stderr]).toEqual([0, ""]);
    expect(ended.events.at(-1)).toMatchObject({ type: "end", reason: "completed" });
    expect(existsSync(join(folder.path, name, "model/model.safetensors"))).toBe(true);
    const [first, last, ...more] = warnings(ended);
    expect([first!.sink, first!.message, more]).toEqual(["mlflow", expect.stringContaining(server.uri), []]);
    expect(last!.message).toMatch(/^mlflow: 8 steps and evaluations are not on http/);
    expect(ended.stdout).not.toContain(SECRET);
    if (illness === undefined) await server.start();
    server.ill = () => undefined;
    const again = await run(["train", recipe]);
    expect([again.status, again.stderr]).toEqual([0, ""]);
    expect([steps(), server.only.status]).toEqual([[1, 2, 3, 4, 5, 6], "FINISHED"]);
    const asked = server.asked.length;
    await run(["train", recipe]);
    expect(server.asked.length).toBe(asked);
  },
);

test("a sink that can't write its files is named once, and the run goes on without it", async () => {
  const recipe = folder.recipe("no-room", SHORT);
  mkdirSync(join(folder.path, "no-room"));
  writeFileSync(join(folder.path, "no-room/tensorboard"), "a file in the folder's place");
  const ended = await run(["train", recipe, "--events"]);
  expect([ended.status, warnings(ended).map(({ sink }) => sink)]).toEqual([0, ["tensorboard"]]);
  expect(readMetrics(join(folder.path, "no-room/metrics.jsonl"))).toHaveLength(6);
  const shown = await run(["train", recipe, "--overwrite", "--set", "logging.reportTo=[]"]);
  expect([shown.status, existsSync(join(folder.path, "no-room/tensorboard"))]).toEqual([0, false]);
});

test("of several processes the first alone reports", async () => {
  const recipe = folder.recipe("two", MLFLOW);
  const ended = await run(["train", recipe, "--processes", "2"]);
  expect([ended.status, ended.stderr]).toEqual([0, ""]);
  expect(steps()).toEqual([1, 2, 3, 4, 5, 6]);
});

test("cells of a study are runs with the study's, the cell's and the factors' tags", async () => {
  const study = join(folder.path, "study.yaml");
  const recipe = `{ model: model, data: rows.json, training: { steps: 2, batchSize: 4 }, evaluation: { rows: 4, unit: row }, logging: { reportTo: [mlflow], tags: { by: me } } }`;
  writeFileSync(
    study,
    `name: colours\nrecipe: ${recipe}\nfactors: { plw: [0, 1] }\ntasks: [held-out]\noutput: study\n`,
  );
  const ended = await run(["study", "run", study]);
  expect([ended.status, ended.stderr]).toEqual([0, ""]);
  const tags = [...server.runs.values()].map(({ tags }) => Object.fromEntries(tags));
  expect(tags.map((each) => [each.study, each.by, each["factor.plw"]]).sort()).toEqual([
    ["colours", "me", "0"],
    ["colours", "me", "1"],
  ]);
  for (const { name, tags: own } of server.runs.values()) expect(name).toBe(`colours ${own.get("cell")}`);
  const nowhere = await run(["study", "run", study, "--retry"], { MLFLOW_TRACKING_URI: "" });
  expect([nowhere.status, nowhere.stdout]).toEqual([0, expect.stringContaining("done or failed before")]);
  rmSync(join(folder.path, "study"), { recursive: true });
  const unsaid = await run(["study", "run", study], { MLFLOW_TRACKING_URI: "" });
  expect([unsaid.status, existsSync(join(folder.path, "study"))]).toEqual([1, false]);
});

test.each([
  [
    "logging: { reportTo: [mlflow] }\n",
    { MLFLOW_TRACKING_URI: "" },
    /logging.reportTo names mlflow.*\nhint: set MLFLOW_TRACKING_URI/,
  ],
  [
    "logging: { reportTo: [mlflow] }\n",
    { MLFLOW_TRACKING_URI: `sqlite:///${SECRET}` },
    /MLFLOW_TRACKING_URI is no address/,
  ],
  [
    "logging: { reportTo: [mlflow] }\n",
    { MLFLOW_HTTP_REQUEST_TIMEOUT: "soon" },
    /MLFLOW_HTTP_REQUEST_TIMEOUT is "soon"/,
  ],
  [
    `logging: { reportTo: [mlflow], mlflow: { trackingUri: "http://me:${SECRET}@127.0.0.1" } }\n`,
    {},
    /has a user or a password in it/,
  ],
  ["logging: { project: mine }\n", {}, /logging.project.*is of mlflow and wandb, and reportTo names neither/],
  ["logging: { reportTo: [mlflow, mlflow] }\n", {}, /logging.reportTo.*names one of them twice/],
  ["logging: { reportTo: [comet] }\n", {}, /logging.reportTo.0/],
] as const)("what can't be is refused before anything is trained: %s", async (text, environment, words) => {
  const { status, stderr } = await run(["train", folder.recipe("wrong", text)], environment);
  expect([status, stderr]).toEqual([1, expect.stringMatching(words)]);
  expect(stderr).not.toContain(SECRET);
  expect(existsSync(join(folder.path, "wrong"))).toBe(false);
});
