// What weights in few bits save and cost: LoRA on TinyLlama's shape and on LLaMA 7 B's, and generation from a GGUF file
// beside llama.cpp: `npm run bench:few-bits -- ALPACA_JSON TOKENIZER_FOLDER [MODEL.gguf]`.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beginMeasuring, sidesEnvironment, threadsOfSides } from "../lib/conditions.ts";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { writeSeven, writeTiny } from "./models.ts";
import { type Generation, type Run, sectionOf, type Timed } from "./section.ts";
import type { TrainingFigures, TrainingRequest } from "./training.ts";

const GENERATION_ROUNDS = 3;
const TOKENS = 48;
/** "Name three colors and say why." in TinyLlama's chat template, about. */
const PROMPT = [1, 529, 29989, 1792, 29989, 29958, 13, 1170, 2211, 11955, 322, 1827, 2020, 29889, 2];

const run = promisify(execFile);

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

async function measured(request: TrainingRequest): Promise<TrainingFigures> {
  const { stdout } = await run(process.execPath, [path("training.js"), JSON.stringify(request)]);
  console.log(`${basename(request.model)}, ${request.base ?? "bfloat16"}: done`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as TrainingFigures;
}

/** All at once, so that a noisy machine disturbs all alike. */
async function trained(place: string, data: string, tokenizer: string): Promise<Run[]> {
  const [tiny, seven] = [join(place, "tiny"), join(place, "seven")];
  if (!existsSync(tiny)) writeTiny(tiny, tokenizer);
  if (!existsSync(seven)) writeSeven(seven, tokenizer);
  const runOf = async (name: string, base: string | undefined, rest: Omit<Run, "figures">): Promise<Run> => {
    const { batchSize } = rest;
    const request = {
      data,
      steps: 2,
      batchSize,
      model: name,
      output: join(place, `run-${base ?? "floats"}`),
    };
    rmSync(request.output, { recursive: true, force: true });
    return { ...rest, figures: await measured({ ...request, ...(base !== undefined && { base }) }) };
  };
  return Promise.all([
    runOf(tiny, undefined, { model: "1.1 B", weights: "bfloat16", batchSize: 8, aim: "—" }),
    runOf(tiny, "nf4", {
      ...{ model: "1.1 B", weights: "nf4", batchSize: 8 },
      aim: "at most 3.0 GB, no slower than bfloat16",
    }),
    runOf(seven, "as-stored", {
      ...{ model: "7 B", weights: "as stored, Q4_K", batchSize: 1 },
      aim: "within 10 GB",
    }),
  ]);
}

interface Answer extends Timed {
  readonly ids: readonly number[];
}

async function generated(file: string, place: string, threads: number): Promise<Generation> {
  const cache = mkdtempSync(join(place, "cache-"));
  const env = { ...sidesEnvironment("tuned", threads), XDG_CACHE_HOME: cache };
  const open = (): Peer => new Peer("ours", process.execPath, [path("generation.js")], env);
  const first = open();
  const loads = [await first.ask<Timed>({ file, threads })];
  first.close();
  const ours = open();
  loads.push(await ours.ask<Timed>({ file, threads }));
  const llama =
    process.env.PROMPTLOSS_LLAMA_CPP === undefined
      ? undefined
      : new Peer("llama.cpp", process.execPath, [path("../../src/few-bits/llama-cpp.mjs")], env);
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
  rmSync(cache, { recursive: true });
  return { file: basename(file), bytes: statSync(file).size, tokens: TOKENS, loads, ...times, equal };
}

const before = beginMeasuring();
const [data, tokenizer, gguf] = process.argv.slice(2);
if (data === undefined || tokenizer === undefined)
  throw new Error("npm run bench:few-bits -- ALPACA_JSON TOKENIZER_FOLDER [MODEL.gguf]");
// A folder that is named keeps the models for the next time.
const kept = process.env.PROMPTLOSS_BENCH_FOLDER;
const place = kept ?? mkdtempSync(join(tmpdir(), "promptloss-few-bits-"));
mkdirSync(place, { recursive: true });
const threads = threadsOfSides();
try {
  const generation = gguf === undefined ? undefined : await generated(gguf, place, threads);
  if (generation !== undefined) console.log(JSON.stringify(generation));
  const runs = await trained(place, data, tokenizer);
  const load = [before, loadavg()[0]!] as const;
  const figures = {
    ...{ machine: machine(), threads, data: basename(data), load, runs },
    ...(generation !== undefined && { generation }),
  };
  console.log(sectionOf(figures));
  writeSection("few-bits", sectionOf(figures), figures);
} finally {
  if (kept === undefined) rmSync(place, { recursive: true });
}
