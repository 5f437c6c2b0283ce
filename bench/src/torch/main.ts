// The binding against Python's torch on the same libtorch: `npm run bench:torch`. Both processes live through the
// whole run and take turns, round by round, so that a noisy machine disturbs both alike.

import { fileURLToPath } from "node:url";
import { beginMeasuring, sidesEnvironment, threadsOfSides } from "../lib/conditions.ts";
import { Peer, type Sample } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { cases } from "./cases.ts";
import { type Result, row, sectionOf } from "./section.ts";

const rounds = 11;
function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
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

async function main(): Promise<void> {
  beginMeasuring();
  const threads = threadsOfSides();
  const env = sidesEnvironment();
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
    const figures = { machine: machine(), threads, allocator: "tuned" as const, ...facts, rounds, results };
    writeSection("torch", sectionOf(figures), figures);
  } finally {
    ours.close();
    python.close();
  }
}

await main();
