// Evaluation against lm-evaluation-harness: `npm run bench:evaluation -- EVAL_DATA MODEL`. Both processes live through
// the whole run and take turns, so that a noisy machine disturbs both alike.
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Peer } from "../lib/peer.ts";
import { machine, markdownTable, writeSection } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import type { Answer, Request } from "./protocol.ts";

const TASKS = "arc_easy,arc_challenge,piqa,winogrande,mctest,truthfulqa_mc2";
const DTYPES = ["float32", "bfloat16"] as const;
/** After one of warm-up. */
const ROUNDS = 3;
const USAGE =
  "npm run bench:evaluation -- EVAL_DATA MODEL [--limit 200] [--tasks arc_easy,…] [--dtypes float32,bfloat16]";

interface Result {
  readonly task: string;
  readonly dtype: Request["dtype"];
  readonly ours: number[];
  readonly harness: number[];
  readonly metrics: readonly { readonly name: string; readonly ours: number; readonly harness: number }[];
  /** The largest difference of two log-likelihoods. */
  readonly difference: number;
}

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

function row({ task, dtype, ours, harness, metrics, difference }: Result): string[] {
  const ratio = median(ours.map((seconds, i) => harness[i]! / seconds));
  const shown = (pick: "ours" | "harness"): string =>
    metrics.map((metric) => `${metric.name} ${metric[pick].toFixed(4)}`).join(", ");
  const time = (seconds: number[]): string => `${median(seconds).toFixed(1)} s`;
  return [
    ...[task, dtype, shown("ours"), shown("harness"), difference.toExponential(1)],
    ...[time(ours), time(harness), ratio.toFixed(2)],
  ];
}

async function main(data: string, model: string, limit: number, tasks: string[], dtypes: string[]) {
  const threads = Number(process.env.OMP_NUM_THREADS ?? availableParallelism());
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
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
    const text = [
      "## Evaluation against lm-evaluation-harness",
      "",
      `\`npm run bench:evaluation -- EVAL_DATA MODEL\` with \`PROMPTLOSS_PYTHON\` naming a Python that has lm_eval; here MODEL is ${basename(model)}. ${machine()}, ${threads} threads a side, libtorch ${facts.ours.version} (ours), lm_eval ${facts.harness.version}, its Hugging Face backend with batches of 16. The first ${limit} items of each task, without examples. Ours loads the model each time; the harness keeps it. Medians of ${ROUNDS} rounds in which the two take turns, after one of warm-up; the ratio is the median of the rounds' ratios, above 1 where ours is faster. In bfloat16 the harness takes the softmax of logits and the sum over a choice in bfloat16 too, ours both in float32: with 8 bits, a sum of some hundreds is known to a unit or two.`,
      "",
      markdownTable(
        [
          ...["task", "dtype", "ours", "lm-eval", "largest difference of log-likelihoods"],
          ...["ours", "lm-eval", "lm-eval ÷ ours"],
        ],
        results.map(row),
      ),
    ].join("\n");
    writeSection("evaluation", text, {
      machine: machine(),
      threads,
      ...facts,
      limit,
      rounds: ROUNDS,
      results,
    });
  } finally {
    ours.close();
    harness.close();
  }
}

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
