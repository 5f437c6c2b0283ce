// What weights in few bits save and cost: LoRA on TinyLlama's shape and on LLaMA 7 B's, and generation from a GGUF file
// beside llama.cpp: `npm run bench:few-bits -- ALPACA_JSON TOKENIZER_FOLDER [MODEL.gguf]`.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { writeSeven, writeTiny } from "./models.ts";
import { type Generation, type Run, sectionOf, type Timed } from "./section.ts";
import type { TrainingFigures, TrainingRequest } from "./training.ts";

const ROUNDS = 1;
const GENERATION_ROUNDS = 3;
const TOKENS = 48;
/** "Name three colors and say why." in TinyLlama's chat template, about. */
const PROMPT = [1, 529, 29989, 1792, 29989, 29958, 13, 1170, 2211, 11955, 322, 1827, 2020, 29889, 2];

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function measured(request: TrainingRequest): TrainingFigures {
  console.log(`${basename(request.model)}, ${request.base ?? "bfloat16"}`);
  const printed = execFileSync(process.execPath, [path("training.js"), JSON.stringify(request)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  rmSync(request.output, { recursive: true });
  return JSON.parse(printed.trim().split("\n").at(-1)!) as TrainingFigures;
}

function trained(place: string, data: string, tokenizer: string): Run[] {
  const tiny = join(place, "tiny");
  writeTiny(tiny, tokenizer);
  const shared = { data, output: join(place, "run"), steps: 3, batchSize: 8 };
  const bases = [undefined, "nf4", "int8"];
  const rounds = Array.from({ length: ROUNDS }, () =>
    bases.map((base) => measured({ ...shared, model: tiny, ...(base !== undefined && { base }) })),
  );
  const runs = bases.map(
    (base, i): Run => ({
      ...{ model: "1.1 B", weights: base ?? "bfloat16", batchSize: shared.batchSize },
      rounds: rounds.map((round) => round[i]!),
      aim: base === "nf4" ? "at most 3.0 GB, no slower than bfloat16" : "—",
    }),
  );
  rmSync(tiny, { recursive: true });
  const seven = join(place, "seven");
  writeSeven(seven, tokenizer);
  const figures = measured({ ...shared, batchSize: 2, model: seven, base: "as-stored" });
  rmSync(seven, { recursive: true });
  const last = {
    model: "7 B",
    weights: "as stored, Q4_K",
    batchSize: 2,
    rounds: [figures],
    aim: "within 10 GB",
  };
  return [...runs, last];
}

interface Answer extends Timed {
  readonly ids: readonly number[];
}

async function generated(file: string, place: string, threads: number): Promise<Generation> {
  const env = { ...process.env, XDG_CACHE_HOME: place, OMP_NUM_THREADS: String(threads) };
  const open = (): Peer => new Peer("ours", process.execPath, [path("generation.js")], env);
  const first = open();
  const loads = [await first.ask<Timed>({ file, threads })];
  first.close();
  const ours = open();
  loads.push(await ours.ask<Timed>({ file, threads }));
  const llama =
    process.env.PROMPTLOSS_LLAMA_CPP === undefined
      ? undefined
      : new Peer("llama.cpp", process.execPath, [path("../../src/few-bits/llama-cpp.mjs")]);
  await llama?.ask({ file, threads });
  const times: { ours: Timed[]; llamaCpp: Timed[] } = { ours: [], llamaCpp: [] };
  const request = { threads, prompt: PROMPT, tokens: TOKENS };
  let equal = 0;
  for (let round = -1; round < GENERATION_ROUNDS; round++) {
    const answers = new Map<Peer, Answer>();
    const turns = [ours, ...(llama === undefined ? [] : [llama])];
    for (const peer of round % 2 === 0 ? turns : turns.toReversed())
      answers.set(peer, await peer.ask<Answer>(request));
    const own = answers.get(ours)!;
    const other = llama === undefined ? undefined : answers.get(llama);
    const differs = own.ids.findIndex((id, i) => id !== other?.ids[i]);
    equal = differs < 0 ? TOKENS : differs;
    if (round < 0) continue; // warm-up
    times.ours.push({ seconds: own.seconds, processorSeconds: own.processorSeconds });
    if (other !== undefined)
      times.llamaCpp.push({ seconds: other.seconds, processorSeconds: other.processorSeconds });
  }
  ours.close();
  llama?.close();
  return { file: basename(file), bytes: statSync(file).size, tokens: TOKENS, loads, ...times, equal };
}

const [data, tokenizer, gguf] = process.argv.slice(2);
if (data === undefined || tokenizer === undefined)
  throw new Error("npm run bench:few-bits -- ALPACA_JSON TOKENIZER_FOLDER [MODEL.gguf]");
const place = mkdtempSync(join(tmpdir(), "promptloss-few-bits-"));
const threads = Number(process.env.OMP_NUM_THREADS ?? availableParallelism());
const before = loadavg()[0]!;
try {
  const generation = gguf === undefined ? undefined : await generated(gguf, place, threads);
  const runs = trained(place, data, tokenizer);
  const load = [before, loadavg()[0]!] as const;
  const figures = {
    ...{ machine: machine(), threads, data: basename(data), load, runs },
    ...(generation !== undefined && { generation }),
  };
  console.log(sectionOf(figures));
  writeSection("few-bits", sectionOf(figures), figures);
} finally {
  rmSync(place, { recursive: true });
}
