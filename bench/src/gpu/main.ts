// Training on a GPU against TRL and a bare PyTorch loop: `npm run bench:gpu`. Each side has the card to itself, one after the
// other. A command stops after `--minutes` and leaves what it measured in a file; the same command again goes on from there.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import type { Facts, Round } from "../training/protocol.ts";
import {
  casesOf,
  checkpoints,
  type GpuCase,
  type Method,
  nameOf,
  rowsOf,
  SIDES,
  type Side,
  type Size,
} from "./cases.ts";
import type { GpuRequest } from "./protocol.ts";
import { type GpuFigures, type GpuResult, type SideFigures, sectionOf } from "./section.ts";

const USAGE =
  "usage: npm run bench:gpu -- [--sizes 1b,7b] [--methods lora,full] [--lengths 512,2048] [--weights 0,0.1,1] [--sides ours,bare,trlBest] [--device cuda:0] [--peak TFLOPS] [--minutes 10] [--results FILE] [--models FOLDER] [--publish] [--dry-run]";

const LORA_RANK = 16;
const LEARNING_RATE = 1e-5;
/** Measured rounds, of CHUNK steps, after one of warm-up. */
const ROUNDS = 3;

const { values: flags } = parseArgs({
  options: {
    sizes: { type: "string" },
    methods: { type: "string", default: "lora,full" },
    lengths: { type: "string" },
    weights: { type: "string", default: "0,0.1,1" },
    sides: { type: "string", default: SIDES.join() },
    device: { type: "string" },
    peak: { type: "string" },
    minutes: { type: "string", default: "10" },
    results: { type: "string", default: "runs/bench-gpu.json" },
    models: { type: "string", default: join(tmpdir(), "promptloss-bench-gpu") },
    publish: { type: "boolean", default: false },
    // At toy size, on the CPU: shows that the bench runs.
    "dry-run": { type: "boolean", default: false },
  },
});
const isDry = flags["dry-run"];
const CHUNK = isDry ? 2 : 10;
const device = flags.device ?? (isDry ? "cpu" : "cuda:0");
const until = performance.now() + 60_000 * Number(flags.minutes);

function listOf<T extends string>(text: string, known?: readonly T[]): T[] {
  const list = text.split(",") as T[];
  const unknown = known && list.find((each) => !known.includes(each));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${known!.join(", ")}\n${USAGE}`);
  return list;
}

function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function peerOf(side: Side): Peer {
  if (side === "ours") return new Peer("ours", process.execPath, [path("worker.js")]);
  const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
  return new Peer(side, python, [path("../../src/training/peer.py"), side]);
}

/** One answer of a process of its own, so that what it held of the card is free then. */
async function askOnce<T>(request: object): Promise<T> {
  const peer = peerOf("ours");
  try {
    return await peer.ask<T>(request);
  } finally {
    peer.close();
  }
}

/** The folder with a size's model, which is drawn once. */
async function modelOf(size: Size): Promise<string> {
  const folder = join(flags.models, size);
  if (existsSync(join(folder, "config.json"))) return folder;
  mkdirSync(flags.models, { recursive: true });
  const tokenizer = path("../../../packages/promptloss/test/tokenizers/tiny-pieces");
  const { parameters } = await askOnce<{ parameters: number }>({ draw: size, folder, tokenizer, device });
  console.log(`drew ${size}: ${(parameters / 1e9).toFixed(2)} B parameters`);
  return folder;
}

/** @throws {Error} where the side ends instead of answering, as one without memory does */
async function measureSide(
  side: Side,
  request: GpuRequest,
): Promise<SideFigures & { readonly work?: number }> {
  const peer = peerOf(side);
  try {
    const { version, work } = await peer.ask<Facts>(request);
    const [speeds, losses]: number[][] = [[], []];
    let peak = 0;
    for (let round = -1; round < ROUNDS; round++) {
      const found = await peer.ask<Round>({ round });
      losses!.push(...found.losses);
      peak = found.peak;
      if (round >= 0) speeds!.push(found.tokens / found.seconds);
    }
    return { version, speeds: speeds!, losses: losses!, peak, ...(work !== undefined && { work }) };
  } finally {
    peer.close();
  }
}

async function measureCase(each: GpuCase, sides: readonly Side[]): Promise<GpuResult> {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-gpu-"));
  try {
    const request: GpuRequest = {
      ...{ model: await modelOf(each.size), folder, data: "", device, threads: 1 },
      ...{ lora: each.method === "lora", precision: "bfloat16", promptLossWeight: each.promptLossWeight },
      ...{ batch: rowsOf(each), maxLength: each.length, full: true, checkpointing: checkpoints(each) },
      ...{ steps: CHUNK * (ROUNDS + 1), chunk: CHUNK, rank: LORA_RANK, learningRate: LEARNING_RATE },
    };
    const found: Partial<Record<Side, SideFigures>> = {};
    const failed: Partial<Record<Side, string>> = {};
    let work = 0;
    // Ours first: the others read the rows and the adapter that it leaves.
    for (const side of sides) {
      try {
        const { work: own, ...figures } = await measureSide(side, request);
        found[side] = figures;
        work = own ?? work;
      } catch (error) {
        failed[side] = (error as Error).message;
        if (side === "ours") break;
      }
    }
    return { case: each, work, sides: found, failed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(): Promise<void> {
  const sizes =
    flags.sizes === undefined
      ? isDry
        ? ["toy" as const]
        : (["1b", "7b"] as const)
      : listOf<Size>(flags.sizes, ["1b", "7b", "toy"]);
  const lengths = listOf(flags.lengths ?? (isDry ? "32" : "512,2048")).map(Number);
  const methods = listOf<Method>(flags.methods, ["lora", "full"]);
  const sides = listOf<Side>(flags.sides, SIDES);
  if (sides[0] !== "ours") throw new Error(`ours comes first: the others read its rows\n${USAGE}`);
  const before: GpuFigures | undefined = existsSync(flags.results)
    ? JSON.parse(readFileSync(flags.results, "utf8"))
    : undefined;
  const given = flags.peak === undefined ? undefined : Number(flags.peak) * 1e12;
  const { rate } = given === undefined ? await askOnce<{ rate: number }>({ rate: device }) : { rate: given };
  const results = [...(before?.results ?? [])];
  const figures = (): GpuFigures => ({
    ...{ device: `${device} of ${machine()}`, rate, results },
    rateFrom: given === undefined ? "measured" : "given",
  });
  const done = new Set(results.map((result) => nameOf(result.case)));
  const cases = casesOf(sizes, methods, lengths, listOf(flags.weights).map(Number));
  const rest = cases.filter((each) => !done.has(nameOf(each)));
  for (const [index, each] of rest.entries()) {
    if (performance.now() > until) {
      console.log(
        `the time is up with ${rest.length - index} cases left: the same command goes on with them`,
      );
      break;
    }
    results.push(await measureCase(each, sides));
    mkdirSync(dirname(flags.results), { recursive: true });
    writeFileSync(flags.results, JSON.stringify(figures(), null, 2));
    console.log(`${nameOf(each)}: done`);
  }
  console.log(sectionOf(figures()));
  if (flags.publish) writeSection("gpu", sectionOf(figures()), figures());
}

await run();
