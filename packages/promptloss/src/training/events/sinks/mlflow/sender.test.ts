import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Illness, MlflowServer, type StoredRun } from "../../../../../test/mlflow-server.ts";
import { checkRecipe } from "../../../../recipe/index.ts";
import type { EvaluationEvent, StartEvent, StepEvent } from "../../event.ts";
import type { SinkRun, SinkWarning } from "../sink.ts";
import { MlflowSender, type SenderTimes } from "./sender.ts";
import { mlflowAccess, mlflowSettings } from "./settings.ts";

const BEGAN = Date.UTC(2026, 0, 1);
const SECRET = "not-to-be-shown";
/** Short, so that a test of a server that is gone ends soon. */
const TIMES: SenderTimes = {
  ...{ gather: 1, firstPause: 1, longestPause: 5 },
  close: { answering: 60_000, silent: 60, hurried: 30 },
};

let server: MlflowServer;
beforeEach(async () => {
  server = await new MlflowServer().start();
});
afterEach(() => server.stop());

const part = { loss: 2, accuracy: 0.25, tokens: 8 };

function stepOf(step: number): StepEvent {
  const means = step % 2 === 0 ? { content: part, completion: part } : {};
  const numbers = { loss: 1 / step, gradientNorm: 3, learningRate: 1e-3, tokens: 100, seconds: 2, memory: 1 };
  return { type: "step", step, epoch: 1, ...numbers, ...means };
}

function evaluationOf(step: number): EvaluationEvent {
  return { type: "evaluation", step, loss: 0.5 + step, best: true, seconds: 1 };
}

const RECIPE = { model: "m", data: "rows.json", output: "runs/mine", training: { learningRate: 0.01 } };

function runOf(past: SinkRun["past"] = [], change: object = {}): SinkRun {
  const start = {
    ...{ type: "start", run: "runs/mine", model: "m", parameters: 10, trainable: 5, rows: 3, heldOutRows: 1 },
    ...{ tokens: 30, epochs: 1, steps: 9, firstStep: past.length, promptLossWeight: 0.25, threads: 1 },
    ...{ normalization: "weight-sum", device: "cpu", precision: "float32", notes: [] },
  } as StartEvent;
  return { recipe: checkRecipe({ ...RECIPE, ...change }, "r.yaml"), start, startedAt: BEGAN, past };
}

interface Sent {
  readonly sender: MlflowSender;
  readonly warnings: SinkWarning[];
  runId: string | undefined;
}

interface SenderChange {
  readonly runId?: string | undefined;
  readonly tags?: Record<string, string>;
  readonly timeout?: number;
}

function senderOf(key: string, { runId, tags = {}, timeout = 2000 }: SenderChange = {}): Sent {
  const environment = { MLFLOW_TRACKING_URI: server.uri, MLFLOW_TRACKING_TOKEN: SECRET };
  const logging = { reportTo: ["mlflow" as const], tags };
  const sent: Sent = {
    warnings: [],
    runId: undefined,
    sender: new MlflowSender({
      settings: { ...mlflowSettings(logging, "mine", environment), timeout },
      access: mlflowAccess(undefined, environment),
      ...{ key, runId, times: TIMES },
      warn: (warning) => sent.warnings.push(warning),
      onRun: (id) => {
        sent.runId = id;
      },
    }),
  };
  return sent;
}

function stepsOf({ metrics }: StoredRun, key = "train/loss"): number[] {
  return metrics.filter((metric) => metric.key === key).map(({ step }) => step);
}

/** For as long as a busy machine may take. */
function soon<T>(value: () => T) {
  return expect.poll(value, { interval: 2, timeout: 30_000 });
}

const end = { reason: "completed", at: BEGAN + 9000 } as const;

test("a run has its recipe as params, its numbers with step and time, its tags and how it ended", async () => {
  const { sender, warnings } = senderOf("k", { tags: { study: "s", cell: "c" } });
  sender.open(runOf());
  for (const step of [1, 2, 3]) sender.add(stepOf(step), BEGAN + step * 1000.5);
  sender.add(evaluationOf(3), BEGAN + 4000);
  expect(await sender.close(end)).toBe(true);
  const { only: run } = server;
  expect(warnings).toEqual([]);
  expect([...server.experiments.keys()]).toEqual(["promptloss"]);
  expect(run).toMatchObject({ name: "mine", start: BEGAN, status: "FINISHED", end: BEGAN + 9000 });
  expect(Object.fromEntries(run.params)).toMatchObject({
    model: "m",
    data: '[{"path":"rows.json"}]',
    "loss.promptLossWeight": "0.25",
    "training.learningRate": "0.01",
    "training.betas": "[0.9,0.999]",
    "training.precision": "float32",
    rows: "3",
  });
  expect([...run.params.keys()].filter((key) => /^(logging|output)/.test(key))).toEqual([]);
  expect(Object.fromEntries(run.tags)).toMatchObject({
    ...{ study: "s", cell: "c", "promptloss.end": "completed", "mlflow.runName": "mine" },
  });
  expect(run.metrics.filter(({ key }) => key === "train/loss")).toEqual([
    { key: "train/loss", value: 1, timestamp: BEGAN + 1001, step: 1 },
    { key: "train/loss", value: 1 / 2, timestamp: BEGAN + 2001, step: 2 },
    { key: "train/loss", value: 1 / 3, timestamp: BEGAN + 3002, step: 3 },
  ]);
  expect(stepsOf(run, "train/content_loss")).toEqual([2]);
  expect(run.metrics).toContainEqual({ key: "held-out/loss", value: 3.5, timestamp: BEGAN + 4000, step: 3 });
  expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(
    new Set([`Bearer ${SECRET}`]),
  );
});

test.each([
  ["stopped-early", "FINISHED"],
  ["interrupted", "KILLED"],
  ["failed", "FAILED"],
] as const)("a run that ends %s is %s", async (reason, status) => {
  const { sender } = senderOf("k");
  sender.open(runOf());
  await sender.close({ ...end, reason });
  expect(server.only.status).toBe(status);
});

test("a resumed run goes on in the same run: what the server has is not sent again, what it lacks is", async () => {
  const first = senderOf("k");
  first.sender.open(runOf());
  for (const step of [1, 2, 3, 4]) first.sender.add(stepOf(step), BEGAN + step);
  await first.sender.close({ ...end, reason: "interrupted" });
  // Another process begins at step 5, which the first did and did not send, and does 3 and 4 again from its checkpoint.
  const past = [1, 2].map(stepOf);
  const next = senderOf("k", { runId: first.runId });
  next.sender.open(runOf([...past, evaluationOf(2)]));
  for (const step of [3, 4, 5]) next.sender.add(stepOf(step), BEGAN + 9000 + step);
  await next.sender.close(end);
  expect(stepsOf(server.only)).toEqual([1, 2, 3, 4, 5]);
  // Of the evaluation the time is made up: as long after the start as the run computed.
  expect(server.only.metrics.find(({ key }) => key === "held-out/loss")?.timestamp).toBe(BEGAN + 5000);
  expect(server.only.status).toBe("FINISHED");
});

test("a run whose making was not heard of is found by its key, in this process and in the next", async () => {
  let times = 0;
  server.ill = (path) => (path === "runs/create" && times++ === 0 ? "deaf" : undefined);
  const first = senderOf("k");
  first.sender.open(runOf());
  await first.sender.close(undefined);
  expect(server.only.status).toBe("RUNNING");
  const next = senderOf("k");
  next.sender.open(runOf());
  await next.sender.close(end);
  expect(server.only.status).toBe("FINISHED");
  const other = senderOf("another-key");
  other.sender.open(runOf());
  await other.sender.close(end);
  expect(server.runs.size).toBe(2);
});

test("params of a longer run become tags, since MLflow lets none be changed; a deleted run is made anew", async () => {
  const first = senderOf("k");
  first.sender.open(runOf());
  await first.sender.close(end);
  const next = senderOf("k", { runId: first.runId });
  next.sender.open(runOf([], { training: { learningRate: 0.01, steps: 20 } }));
  expect(await next.sender.close(end)).toBe(true);
  const longer = senderOf("k", { runId: first.runId });
  longer.sender.open(runOf([], { training: { learningRate: 0.01, steps: 30 } }));
  await longer.sender.close(end);
  expect(server.only.params.get("training.steps")).toBe("20");
  expect(server.only.tags.get("now.training.steps")).toBe("30");
  server.only.deleted = true;
  const anew = senderOf("k", { runId: first.runId });
  anew.sender.open(runOf([stepOf(1)]));
  await anew.sender.close(end);
  expect([...server.runs.values()].map((run) => stepsOf(run))).toEqual([[], [1]]);
});

test("many numbers go in requests of MLflow's size, in order", async () => {
  const { sender, warnings } = senderOf("k");
  for (let step = 1; step <= 700; step++) sender.add(stepOf(step), BEGAN + step);
  sender.open(runOf());
  expect(await sender.close(end)).toBe(true);
  expect(stepsOf(server.only)).toEqual(Array.from({ length: 700 }, (_, i) => i + 1));
  expect(warnings).toEqual([]);
});

test("keys and values that MLflow does not take are made ones that it takes", async () => {
  const { sender, warnings } = senderOf("k", { tags: { "a:b//ü": "x".repeat(9000) } });
  const templateVariables = { "a/../b": 1, ["k".repeat(300)]: "v".repeat(900) };
  sender.open(runOf([], { template: "tokenizer", templateVariables }));
  expect(await sender.close(end)).toBe(true);
  expect(warnings).toEqual([]);
  expect(server.only.params.get("templateVariables.a_.._b")).toBe("1");
});

test.each<[NonNullable<ReturnType<Illness>>, RegExp]>([
  ["hangs", /does not answer within 0.1 s/],
  ["breaks", /is not reached/],
  [500, /answers 500 INTERNAL_ERROR/],
  [429, /answers 429/],
])("a server that %s for a while gets all of it later, and is named once", async (illness, words) => {
  let left = 3;
  server.ill = () => (left-- > 0 ? illness : undefined);
  const { sender, warnings } = senderOf("k", { timeout: illness === "hangs" ? 100 : 20_000 });
  sender.open(runOf());
  for (const step of [1, 2, 3]) sender.add(stepOf(step), BEGAN + step);
  await soon(() => server.runs.size > 0 && stepsOf(server.only).length).toBe(3);
  server.ill = (path) => (path === "runs/update" && left-- > -60 ? illness : undefined);
  left = 0;
  expect(await sender.close(undefined)).toBe(true);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]!.message).toMatch(words);
  expect(warnings[0]!.message).toContain(server.uri);
});

test.each(["hangs", 500, 403] as const)(
  "a server that %s to the end costs a bounded time and is told of twice",
  async (illness) => {
    server.ill = () => illness;
    const { sender, warnings } = senderOf("k", { timeout: 50 });
    sender.open(runOf());
    for (const step of [1, 2, 3]) sender.add(stepOf(step), BEGAN + step);
    await soon(() => warnings.length).toBe(1);
    expect(await sender.close(end)).toBe(false);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]!.message).toMatch(/^mlflow: 3 steps and evaluations are not on http/);
    // A server may send back what it was sent.
    expect(JSON.stringify(warnings)).not.toContain(SECRET);
  },
);

test("a server that is not there at all, and one that speaks no MLflow", async () => {
  const { uri } = server;
  await server.stop();
  const gone = senderOf("k");
  gone.sender.open(runOf());
  expect(await gone.sender.close(end)).toBe(false);
  expect(gone.warnings[0]!.message).toMatch(new RegExp(`^mlflow: ${uri}: it is not reached \\(ECONNREFUSED`));
  await server.start();
});

test("one batch that is refused is lost and told, and the next are sent", async () => {
  let times = 0;
  const { sender, warnings } = senderOf("k");
  sender.open(runOf());
  await soon(() => server.runs.size > 0 && server.only.tags.has("promptloss.output")).toBe(true);
  server.ill = (path) => (path === "runs/log-batch" && times++ === 0 ? 400 : undefined);
  sender.add(stepOf(1), BEGAN);
  await soon(() => warnings.length).toBe(1);
  sender.add(stepOf(2), BEGAN);
  expect(await sender.close(end)).toBe(false);
  expect(stepsOf(server.only)).toEqual([2]);
  expect(warnings[1]!.message).toMatch(/^mlflow: 1 step and evaluations are not on/);
});

test("whatever fails in between, each step is there once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<ReturnType<Illness>>("breaks", "deaf", 500, 503, undefined), {
        maxLength: 30,
      }),
      fc.integer({ min: 1, max: 20 }),
      fc.uuid(),
      async (illnesses, steps, key) => {
        const left = [...illnesses];
        server.ill = () => left.shift();
        server.runs.clear();
        const { sender } = senderOf(key);
        sender.open(runOf());
        for (let step = 1; step <= steps; step++) sender.add(stepOf(step), BEGAN + step);
        await expect.poll(() => server.runs.size > 0 && stepsOf(server.only).length).toBe(steps);
        server.ill = () => undefined;
        expect(await sender.close(end)).toBe(true);
        expect(stepsOf(server.only)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
        expect(server.only.status).toBe("FINISHED");
      },
    ),
    { numRuns: 25 },
  );
});
