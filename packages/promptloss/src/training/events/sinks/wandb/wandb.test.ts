// Offline runs of Weights & Biases: the framing, held to a file that wandb wrote, and what its own reader makes of ours.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../../../../../../test/needs.ts";
import { checkRecipe } from "../../../../recipe/index.ts";
import type { EvaluationEvent, StartEvent, StepEvent } from "../../event.ts";
import { fieldOf } from "../protobuf.ts";
import { framedRecord, LOG_HEADER, recordsOf } from "./log-file.ts";
import { kindOf } from "./records.ts";
import { WandbSink } from "./wandb-sink.ts";

const BEGAN = Date.UTC(2026, 0, 31, 23, 59, 59);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wandb-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Written by test/python/wandb_offline.py with wandb 0.30.0. */
const GOLDEN = fileURLToPath(new URL("../../../../../test/goldens/wandb/offline.wandb", import.meta.url));

function stepOf(step: number): StepEvent {
  const numbers = { loss: 1 / step, gradientNorm: 3, learningRate: 1e-3, tokens: 100, seconds: 2, memory: 1 };
  return { type: "step", step, epoch: 1, ...numbers };
}

function evaluationOf(step: number): EvaluationEvent {
  return { type: "evaluation", step, loss: 0.5 + step, best: true, seconds: 1 };
}

/** Of many bytes a matcher takes its time. */
function same(found: readonly Buffer[], wanted: readonly Buffer[]): boolean {
  return found.length === wanted.length && found.every((each, i) => each.equals(wanted[i]!));
}

type Event = StepEvent | EvaluationEvent;

/** What one process does of a run. */
function report(
  path: string,
  firstStep: number,
  past: readonly Event[],
  events: readonly Event[],
  ends = true,
): void {
  const logging = { reportTo: ["wandb" as const], tags: { study: "s", cell: "c" } };
  const recipe = checkRecipe({ model: "m", data: "rows.json", output: "run", logging }, "r.yaml");
  const sink = new WandbSink(path, recipe.logging, "mine", { WANDB_ENTITY: "us" });
  const start = {
    firstStep,
    promptLossWeight: 0.25,
    normalization: "weight-sum",
    precision: "float32",
    device: "cpu",
    rows: 3,
  };
  sink.open({ recipe, start: start as StartEvent, startedAt: BEGAN, past });
  for (const event of events) sink.add(event);
  void sink.close(ends ? { reason: "completed", at: BEGAN + 60_000 } : undefined);
}

function fileOf(path: string): string {
  const [run] = readdirSync(path) as [string];
  const name = readdirSync(join(path, run)).find((each) => each.endsWith(".wandb"))!;
  return join(path, run, name);
}

function stepsOf(path: string): (number | "exit")[] {
  return recordsOf(readFileSync(fileOf(path))).flatMap((record): (number | "exit")[] => {
    const { step, isExit } = kindOf(record);
    if (isExit) return ["exit"];
    return step === undefined ? [] : [step];
  });
}

test("the file of another writer is read and written again byte for byte", () => {
  const golden = readFileSync(GOLDEN);
  const records = recordsOf(golden);
  expect(records.length).toBeGreaterThan(5);
  expect(records.map((record) => fieldOf(record, 1))).toEqual(records.map((_, i) => i + 1));
  let own = LOG_HEADER;
  for (const record of records) own = Buffer.concat([own, framedRecord(record, own.length)]);
  expect(own.equals(golden)).toBe(true);
});

test("records of any length come back, up to where a file is cut off or damaged", () => {
  const record = fc
    .tuple(fc.constantFrom(0, 1, 7, 20, 32_740, 32_754, 32_761, 32_768, 70_000), fc.nat(20), fc.nat(255))
    .map(([length, more, byte]) => Buffer.alloc(length + more, byte));
  fc.assert(
    fc.property(fc.array(record, { maxLength: 6 }), fc.integer({ min: 0, max: 999 }), (records, share) => {
      let file = LOG_HEADER;
      const ends: number[] = [];
      for (const each of records) {
        file = Buffer.concat([file, framedRecord(each, file.length)]);
        ends.push(file.length);
      }
      expect(same(recordsOf(file), records)).toBe(true);
      const cut = Math.floor((share / 1000) * file.length);
      const whole = ends.filter((end) => end <= cut).length;
      expect(same(recordsOf(file.subarray(0, cut)), records.slice(0, whole))).toBe(true);
      const damaged = Buffer.from(file);
      damaged[cut]! ^= 1;
      expect(same(recordsOf(damaged), records.slice(0, recordsOf(damaged).length))).toBe(true);
    }),
    { numRuns: 25 },
  );
});

test("a record begins in the next block where this one has no room for its frame, or for the frame alone", () => {
  for (let left = 0; left <= 9; left++) {
    const records = [Buffer.alloc(32_768 - 7 - 7 - left, 1), Buffer.from("next")];
    let file = LOG_HEADER;
    for (const each of records) file = Buffer.concat([file, framedRecord(each, file.length)]);
    expect([left, same(recordsOf(file), records)]).toEqual([left, true]);
    // A frame of no bytes where there is room for just that, as LevelDB has it.
    const second = 32_768 + (left < 7 ? 0 : -left);
    expect(file.readUInt8(second + 6)).toBe(left < 7 ? 1 : 2);
  }
});

test("a resumed run goes on in its file: later steps are taken back, what was not written is added", () => {
  const path = join(folder, "resumed");
  report(path, 0, [], [1, 2, 3, 4].map(stepOf), false);
  const id = readdirSync(path);
  report(path, 2, [stepOf(1), stepOf(2)], [3, 4, 5].map(stepOf));
  expect(stepsOf(path)).toEqual([1, 2, 3, 4, 5, "exit"]);
  // Extended by a process whose predecessor's last words were cut off.
  truncateSync(fileOf(path), readFileSync(fileOf(path)).length - 300);
  report(path, 5, [1, 2, 3, 4, 5].map(stepOf), [6].map(stepOf));
  expect(stepsOf(path)).toEqual([1, 2, 3, 4, 5, 6, "exit"]);
  report(path, 0, [], [stepOf(1)]);
  expect(stepsOf(path)).toEqual([1, "exit"]);
  expect(readdirSync(path)).toEqual(id);
});

const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const place = spawnSync(
  python,
  ["-c", "import importlib.util as u; print(u.find_spec('wandb').submodule_search_locations[0])"],
  { encoding: "utf8" },
);

needs("python", place.status === 0).test("wandb's own reader finds in it what the run was", () => {
  const path = join(folder, "read");
  report(path, 0, [], [stepOf(1), stepOf(2), evaluationOf(2), stepOf(3)]);
  const reader = join(place.stdout.trim(), "bin/wandb-core");
  const { stdout } = spawnSync(reader, ["leet", "--inspect", "--run-file", fileOf(path), path], {
    encoding: "utf8",
    env: { ...process.env, HOME: folder },
  });
  const text = stdout.replaceAll(/\s+/g, " ");
  expect([...text.matchAll(/# record \d+: (\w+)/g)].map(([, kind]) => kind)).toEqual([
    ...["header", "run", "history", "summary", "history", "summary", "history", "summary", "exit"],
  ]);
  for (const part of [
    'entity: "us" project: "promptloss"',
    'run_group: "s" display_name: "mine" tags: "study:s" tags: "cell:c"',
    'key: "rows" value_json: "3"',
    '\\"promptLossWeight\\":0.25',
    'nested_key: "train/loss" value_json: "0.5"',
    'nested_key: "held-out/loss" value_json: "2.5"',
    "step: { num: 2 }",
    `start_time: { seconds: ${BEGAN / 1000}`,
    "exit: { runtime: 60 }",
  ])
    expect(text).toContain(part);
});

/** Answers what `wandb sync` asks before it sends, and keeps what it sends of a run's numbers. */
async function standIn(): Promise<{ server: Server; uri: string; sent: string[]; asked: string[] }> {
  const [sent, asked]: [string[], string[]] = [[], []];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString("utf8");
    const project = { id: "p", name: "promptloss", entity: { id: "e", name: "us" } };
    const bucket = { id: "b", name: "run", displayName: "mine", project, historyLineCount: 0 };
    const isRun = text.includes("upsertBucket");
    if (isRun) asked.push(text);
    if (request.url!.endsWith("/file_stream")) sent.push(text);
    const others = { viewer: { id: "v", entity: "us", username: "us", flags: "{}" }, serverFeatures: [] };
    const data = isRun
      ? { upsertBucket: { bucket, inserted: true } }
      : { ...others, createRunFiles: { runID: "b", uploadHeaders: [], files: [] } };
    response.setHeader("content-type", "application/json").end(JSON.stringify({ data }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent, asked };
}

needs("python", place.status === 0).test("wandb sync sends it whole", async () => {
  const path = join(folder, "synced");
  report(path, 0, [], [stepOf(1), stepOf(2), evaluationOf(2)], false);
  report(path, 1, [stepOf(1)], [stepOf(2), evaluationOf(2), stepOf(3)]);
  const { server, uri, sent, asked } = await standIn();
  try {
    const child = spawn(python, ["-m", "wandb", "sync", join(path, readdirSync(path)[0]!)], {
      // It leaves its log where it runs.
      cwd: folder,
      env: { ...process.env, HOME: folder, WANDB_BASE_URL: uri, WANDB_API_KEY: "0".repeat(40) },
    });
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    const [{ variables }] = asked.map((text) => JSON.parse(text)) as [{ variables: Record<string, unknown> }];
    expect(variables).toMatchObject({
      entity: "us",
      displayName: "mine",
      groupName: "s",
      tags: ["study:s", "cell:c"],
    });
    expect(JSON.parse(variables.config as string).loss.value.promptLossWeight).toBe(0.25);
    const streams = sent.map((text) => JSON.parse(text));
    const lines = streams
      .flatMap(({ files }) => files?.["wandb-history.jsonl"]?.content ?? [])
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => [line._step, line["train/loss"], line["held-out/loss"]])).toEqual([
      [1, 1, undefined],
      [2, 1 / 2, 2.5],
      [3, 1 / 3, undefined],
    ]);
    expect(streams.at(-1)).toMatchObject({ complete: true, exitcode: 0 });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
