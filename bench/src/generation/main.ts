// Generation against transformers on the same model: `npm run bench:generation -- FOLDER`. Both processes live through
// the whole run and take turns, so that a noisy machine disturbs both alike.
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { beginMeasuring, sidesEnvironment, threadsOfSides } from "../lib/conditions.ts";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { cases, TOKENS } from "./cases.ts";
import { type Result, row, sectionOf } from "./section.ts";

const rounds = 5;
function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

interface Answer {
  seconds: number;
  ids: number[];
}

async function measure(ours: Peer, python: Peer, folder: string): Promise<Result[]> {
  const results: Result[] = [];
  for (const each of cases) {
    const result: Result = { case: each, ours: [], python: [], equal: 0 };
    const request = { ...each, folder, tokens: TOKENS, prompt: [1, 9038, 2501, 263, 931] };
    for (let round = -1; round < rounds; round++) {
      const order = round % 2 === 0 ? [ours, python] : [python, ours];
      const answers = new Map<Peer, Answer>();
      for (const peer of order) answers.set(peer, await peer.ask<Answer>(request));
      const [a, b] = [answers.get(ours)!, answers.get(python)!];
      const differs = a.ids.findIndex((id, i) => id !== b.ids[i]);
      result.equal = differs < 0 ? a.ids.length : differs;
      if (round < 0) continue; // warm-up
      result.ours.push(a.seconds);
      result.python.push(b.seconds);
    }
    results.push(result);
    console.log(row(result).join("  "));
  }
  return results;
}

async function main(folder: string): Promise<void> {
  const threads = threadsOfSides();
  const env = sidesEnvironment();
  const ours = new Peer("ours", process.execPath, [path("worker.js")], env);
  const command = process.env.PROMPTLOSS_PYTHON ?? "python3";
  const python = new Peer("python", command, [path("../../src/generation/peer.py")], env);
  try {
    const facts = {
      ours: await ours.ask<{ version: string }>({ threads }),
      python: await python.ask<{ version: string }>({ threads }),
    };
    const results = await measure(ours, python, folder);
    const allocator = "tuned" as const;
    const figures = {
      machine: machine(),
      model: basename(folder),
      threads,
      allocator,
      ...facts,
      rounds,
      results,
    };
    writeSection("generation", sectionOf(figures), figures);
  } finally {
    ours.close();
    python.close();
  }
}

beginMeasuring();
const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: npm run bench:generation -- FOLDER (a Hugging Face model folder)");
  process.exitCode = 2;
} else await main(folder);
