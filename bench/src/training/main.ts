// Training against TRL and a bare PyTorch loop, side by side in one run:
// `npm run bench:training -- ALPACA_JSON MODEL_FOLDER [--shapes small,large] [--costs] [--quick] [--rounds 7]`. With
// --costs, what a token costs by length, batch and model instead, against the same sides.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { casesOf, costCasesOf, DRAWN, lengthOf, type Shape, type Side } from "./cases.ts";
import { costSectionOf } from "./costs.ts";
import { measureCase, type Result } from "./measure.ts";
import type { CreateRequest, PeakAnswer, PeakRequest } from "./protocol.ts";
import { type Setting, sectionOf, speedRow } from "./table.ts";

const USAGE =
  "usage: npm run bench:training -- ALPACA_JSON MODEL_FOLDER [--shapes small,large] [--costs] [--quick] [--rounds 7]";
function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
const threads = Number(process.env.OMP_NUM_THREADS ?? availableParallelism());
const env = { ...process.env, OMP_NUM_THREADS: String(threads) };

function newWorker(): Peer {
  return new Peer("ours", process.execPath, [path("worker.js")], env);
}

/** Ours: a process a case. Python's: a process that forks one a case. */
class Peers {
  readonly #python = new Map<Side, Peer>();
  #worker: Peer | undefined;

  of(side: Side): Peer {
    if (side === "ours") {
      this.#worker?.close();
      this.#worker = newWorker();
      return this.#worker;
    }
    const command = process.env.PROMPTLOSS_PYTHON ?? "python3";
    const peer =
      this.#python.get(side) ?? new Peer(side, command, [path("../../src/training/peer.py"), side], env);
    this.#python.set(side, peer);
    return peer;
  }

  close(): void {
    this.#worker?.close();
    for (const peer of this.#python.values()) peer.close();
  }
}

/** One answer of a process of its own. */
async function askOnce<T>(request: CreateRequest | PeakRequest): Promise<T> {
  const worker = newWorker();
  try {
    return await worker.ask<T>(request);
  } finally {
    worker.close();
  }
}

/** Seconds that the processor's units are measured for. */
const PEAK_SECONDS = 1;

interface Wanted {
  readonly data: string;
  readonly model: string;
  readonly shapes: readonly Shape[];
  readonly costs: boolean;
  /** Fewer cases. */
  readonly quick: boolean;
  readonly rounds: number;
  readonly flags: string;
}

async function run({ data, model, shapes, costs, quick, rounds, flags }: Wanted): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), "promptloss-training-model-"));
  const peers = new Peers();
  const results: Result[] = [];
  const before = loadavg()[0]!;
  const cases = costs ? costCasesOf().map((each) => each.case) : casesOf(shapes, quick);
  const section = costs ? "training-costs" : "training";
  try {
    const { peak } = await askOnce<PeakAnswer>({ peak: PEAK_SECONDS });
    const parameters: Setting["parameters"] = {};
    const folderOf = async (shape: Shape): Promise<string> => {
      if (shape === "small") return model;
      const folder = join(place, shape);
      parameters[shape] ??= (
        await askOnce<{ parameters: number }>({ create: shape, folder, tokenizer: model })
      ).parameters;
      return folder;
    };
    for (const each of cases) {
      const { shape } = each;
      const at = { data, model: await folderOf(shape), threads, length: lengthOf(shape, rounds) };
      const result = await measureCase(each, at, (side) => peers.of(side));
      results.push(result);
      console.log(speedRow(result, peak).join("  "));
      const setting: Setting = {
        machine: machine(),
        threads,
        data: basename(data),
        model: basename(model),
        flags,
        peak,
        parameters,
        load: [before, loadavg()[0]!],
      };
      const text = (costs ? costSectionOf : sectionOf)(results, setting);
      // After every case, so that a run cut short leaves what it has measured.
      writeSection(section, text, { ...setting, results });
    }
  } finally {
    peers.close();
    rmSync(place, { recursive: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shapes: { type: "string", default: "small,large" },
    costs: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
  },
});
const [data, model] = positionals;
const shapes = values.shapes.split(",");
function known(shape: string): shape is Shape {
  return shape === "small" || shape in DRAWN;
}
const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
if (data === undefined || model === undefined || !shapes.every(known) || !(rounds >= 1)) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  const flags = process.argv
    .slice(4)
    .map((flag) => ` ${flag}`)
    .join("");
  await run({ data, model, shapes, costs: values.costs, quick: values.quick, rounds, flags });
}
