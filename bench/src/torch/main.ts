// The binding against Python's torch on the same libtorch: `npm run bench:torch`. Both processes live through the
// whole run and take turns, round by round, so that a noisy machine disturbs both alike.

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Peer, type Sample } from "../lib/peer.ts";
import { machine, markdownTable, writeSection } from "../lib/report.ts";
import { median, spread } from "../lib/statistics.ts";
import { type Case, cases } from "./cases.ts";

const rounds = 11;
function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

interface Result {
  case: Case;
  ours: number[];
  python: number[];
}

async function measure(ours: Peer, python: Peer): Promise<Result[]> {
  const results: Result[] = [];
  for (const each of cases) {
    const result: Result = { case: each, ours: [], python: [] };
    for (let round = -1; round < rounds; round++) {
      const request = { name: each.name, iterations: each.iterations };
      const first = round % 2 === 0;
      const before = await (first ? ours : python).ask<Sample>(request);
      const after = await (first ? python : ours).ask<Sample>(request);
      if (round < 0) continue; // warm-up
      result.ours.push((first ? before : after).ns);
      result.python.push((first ? after : before).ns);
    }
    results.push(result);
    console.log(row(result).join("  "));
  }
  return results;
}

function row({ case: { title, flop, aim }, ours, python }: Result): string[] {
  const show = (ns: number): string =>
    flop === undefined ? `${(ns / 1000).toFixed(2)} µs` : `${(flop / ns / 1000).toFixed(2)} TFLOP/s`;
  const ratio = median(ours.map((ns, i) => ns / (python[i] as number)));
  const noise = `${(100 * spread(ours)).toFixed(0)} %, ${(100 * spread(python)).toFixed(0)} %`;
  return [title, show(median(ours)), show(median(python)), ratio.toFixed(2), noise, aim];
}

async function main(): Promise<void> {
  const threads = Number(process.env.OMP_NUM_THREADS ?? availableParallelism());
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  const ours = new Peer("ours", process.execPath, [path("worker.js")], env);
  const python = new Peer(
    "python",
    process.env.PROMPTLOSS_PYTHON ?? "python3",
    [path("../../src/torch/peer.py")],
    env,
  );
  try {
    const facts = {
      ours: await ours.ask<{ version: string }>({ threads }),
      python: await python.ask<{ version: string }>({ threads }),
    };
    if (facts.ours.version !== facts.python.version)
      console.error(
        `the libtorch versions differ: ours ${facts.ours.version}, Python's ${facts.python.version}`,
      );
    const results = await measure(ours, python);
    const text = [
      "## The binding against Python's torch",
      "",
      `\`npm run bench:torch\` with \`PROMPTLOSS_PYTHON\` naming a Python that has torch. ${machine()}, ${threads} threads, libtorch ${facts.ours.version} (ours) and ${facts.python.version} (Python's). Medians of ${rounds} rounds in which the two take turns; the ratio is the median of the rounds' ratios of times, below 1 where ours is faster.`,
      "",
      markdownTable(["case", "ours", "Python", "ratio", "spread (ours, Python)", "aim"], results.map(row)),
    ].join("\n");
    writeSection("torch", text, { machine: machine(), threads, ...facts, rounds, results });
  } finally {
    ours.close();
    python.close();
  }
}

await main();
