// Evaluation against lm-evaluation-harness: `npm run bench:evaluation -- EVAL_DATA MODEL`. Both processes live through
// the whole run and take turns, so that a noisy machine disturbs both alike.
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { beginMeasuring, sidesEnvironment, threadsOfSides } from "../lib/conditions.ts";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import type { Answer, Request } from "./protocol.ts";
import { type Result, row, sectionOf } from "./section.ts";

const TASKS = "arc_easy,arc_challenge,piqa,winogrande,mctest,truthfulqa_mc2";
const DTYPES = ["float32", "bfloat16"] as const;
/** After one of warm-up. */
const ROUNDS = 3;
const USAGE =
  "npm run bench:evaluation -- EVAL_DATA MODEL [--limit 200] [--tasks arc_easy,…] [--dtypes float32,bfloat16]";

async function measure(ours: Peer, harness: Peer, request: Request): Promise<Result> {
  const seconds = { ours: [] as number[], harness: [] as number[] };
  let last: [Answer, Answer] | undefined;
  for (let round = -1; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [ours, harness] : [harness, ours];
    const answers = new Map<Peer, Answer>();
    for (const peer of order) answers.set(peer, await peer.ask<Answer>(request));
    last = [answers.get(ours)!, answers.get(harness)!];
    if (round < 0) continue;
    seconds.ours.push(last[0].seconds);
    seconds.harness.push(last[1].seconds);
  }
  const [a, b] = last!;
  const differences = a.logLikelihoods.flatMap((item, i) =>
    item.map((value, k) => Math.abs(value - b.logLikelihoods[i]![k]!)),
  );
  // The harness calls all of TruthfulQA's metrics acc.
  const metrics = Object.entries(a.metrics).map(([name, value]) => ({
    name,
    ours: value,
    harness: b.metrics[name] ?? b.metrics.acc!,
  }));
  const { task, dtype } = request;
  return { task, dtype, ...seconds, metrics, difference: Math.max(...differences) };
}

async function main(data: string, model: string, limit: number, tasks: string[], dtypes: string[]) {
  const threads = threadsOfSides();
  const env = sidesEnvironment();
  const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const ours = new Peer("ours", process.execPath, [path("worker.js")], env);
  const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
  const harness = new Peer("harness", python, [path("../../src/evaluation/peer.py"), data], env);
  try {
    const facts = {
      ours: await ours.ask<{ version: string }>({}),
      harness: await harness.ask<{ version: string }>({}),
    };
    const results: Result[] = [];
    for (const dtype of DTYPES.filter((each) => dtypes.includes(each)))
      for (const task of tasks) {
        results.push(await measure(ours, harness, { model, data, task, limit, dtype }));
        console.log(row(results.at(-1)!).join("  "));
      }
    const figures = {
      ...{ machine: machine(), model: basename(model), threads, allocator: "tuned" as const, ...facts },
      ...{ limit, rounds: ROUNDS, results },
    };
    writeSection("evaluation", sectionOf(figures), figures);
  } finally {
    ours.close();
    harness.close();
  }
}

beginMeasuring();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: "string", default: "200" },
    tasks: { type: "string", default: TASKS },
    dtypes: { type: "string", default: DTYPES.join(",") },
  },
});
const [data, model] = positionals;
const limit = Number(values.limit);
if (data === undefined || model === undefined || !Number.isInteger(limit) || limit < 1) {
  console.error(`usage: ${USAGE}`);
  process.exitCode = 2;
} else await main(data, model, limit, values.tasks.split(","), values.dtypes.split(","));
