// Serving against llama.cpp on the same weights: `npm run bench:serving -- FOLDER`. Both processes live through the whole
// run and take turns, so that a noisy machine disturbs both alike.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadTokenizer } from "promptloss";
import { exportGguf } from "promptloss/models";
import { beginMeasuring, sidesEnvironment, threadsOfSides } from "../lib/conditions.ts";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { CLIENTS, REQUESTS, ROUNDS, type Round, type RoundAnswer, TOKENS } from "./protocol.ts";
import { type Measured, row, sectionOf } from "./section.ts";

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

const NAMES = ["Lily", "Tom", "Anna", "Ben", "Mia", "Sam", "Zoe", "Max"];
const THINGS = ["a red ball", "an old boat", "a small dog in the park", "a big tree with sweet apples"];

/** A prompt for each client and request, none like another. */
async function promptsOf(folder: string): Promise<number[][][]> {
  const tokenizer = await loadTokenizer(folder);
  const clients = Array.from({ length: Math.max(...CLIENTS) }, (_, client) =>
    Array.from({ length: REQUESTS }, (_, request) => {
      const place = client * REQUESTS + request;
      const name = NAMES[place % NAMES.length]!;
      const thing = THINGS[Math.floor(place / NAMES.length) % THINGS.length]!;
      return `${"One day, ".repeat(1 + (place % 3))}${name} saw ${thing}. ${name} number ${place} said`;
    }),
  );
  return Promise.all(
    clients.map((texts) =>
      Promise.all(texts.map(async (text) => [...(await tokenizer.encodeWithPrefix(text))])),
    ),
  );
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

async function measure(ours: Peer, llamaCpp: Peer, prompts: readonly number[][][]): Promise<Measured[]> {
  const alone: number[][] = [];
  for (const [first] of prompts) {
    const { ids } = await ours.ask<RoundAnswer>({ prompts: [[first]], tokens: TOKENS });
    alone.push([...ids[0]!]);
  }
  const seconds = CLIENTS.map(() => ({ ours: [] as number[], llamaCpp: [] as number[] }));
  const last: [RoundAnswer, RoundAnswer][] = [];
  for (let round = -1; round < ROUNDS; round++)
    for (const [i, clients] of CLIENTS.entries()) {
      const request: Round = { prompts: prompts.slice(0, clients), tokens: TOKENS };
      const answers = new Map<Peer, RoundAnswer>();
      for (const peer of round % 2 === 0 ? [ours, llamaCpp] : [llamaCpp, ours])
        answers.set(peer, await peer.ask<RoundAnswer>(request));
      last[i] = [answers.get(ours)!, answers.get(llamaCpp)!];
      if (round < 0) continue; // warm-up
      seconds[i]!.ours.push(last[i][0].seconds);
      seconds[i]!.llamaCpp.push(last[i][1].seconds);
    }
  return CLIENTS.map((clients, i) => {
    const [a, b] = last[i]!;
    return {
      clients,
      tokens: clients * REQUESTS * TOKENS,
      ...seconds[i]!,
      likeAlone: a.ids.filter((ids, client) => equal(ids, alone[client]!)).length,
      likeLlamaCpp: a.ids.filter((ids, client) => equal(ids, b.ids[client]!)).length,
    };
  });
}

async function main(folder: string): Promise<void> {
  const threads = threadsOfSides();
  const env = sidesEnvironment();
  const place = mkdtempSync(join(tmpdir(), "promptloss-bench-serving-"));
  const ours = new Peer("ours", process.execPath, [path("worker.js")], env);
  const llamaCpp = new Peer("llama.cpp", process.execPath, [path("../../src/serving/llama-cpp.mjs")], env);
  try {
    const file = join(place, "model.gguf");
    const { version: libtorch, keptIn } = await ours.ask<{ version: string; keptIn: string }>({
      folder,
      threads,
    });
    await exportGguf(folder, file, { type: keptIn === "bfloat16" ? "bf16" : "f32" });
    const prompts = await promptsOf(folder);
    const lengths = prompts.flat().map(({ length }) => length);
    const clients = Math.max(...CLIENTS);
    const contextSize = Math.max(...lengths) + TOKENS;
    const { version } = await llamaCpp.ask<{ version: string }>({ file, threads, clients, contextSize });
    const measured = await measure(ours, llamaCpp, prompts);
    for (const each of measured) console.log(row(each, measured[0]!).join("  "));
    const figures = {
      machine: machine(),
      model: basename(folder),
      keptIn,
      threads,
      allocator: "tuned" as const,
      libtorch,
      llamaCpp: version,
      rounds: ROUNDS,
      requests: REQUESTS,
      tokens: TOKENS,
      prompts: [Math.min(...lengths), Math.max(...lengths)] as const,
      measured,
    };
    writeSection("serving", sectionOf(figures), figures);
  } finally {
    ours.close();
    llamaCpp.close();
    rmSync(place, { recursive: true });
  }
}

beginMeasuring();
const [folder] = process.argv.slice(2);
if (folder === undefined || process.env.PROMPTLOSS_LLAMA_CPP === undefined) {
  console.error(
    "usage: PROMPTLOSS_LLAMA_CPP=FOLDER npm run bench:serving -- FOLDER (a Hugging Face model folder)",
  );
  process.exitCode = 2;
} else await main(folder);
