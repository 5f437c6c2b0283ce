// Training against TRL and a bare PyTorch loop, side by side in one run:
// `npm run bench:training -- ALPACA_JSON MODEL_FOLDER [--shapes small,large] [--quick]`.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { casesOf, lengthOf, type Shape, type Side } from "./cases.ts";
import { measureCase, type Result } from "./measure.ts";
import { type Setting, sectionOf, speedRow } from "./table.ts";

const USAGE = "usage: npm run bench:training -- ALPACA_JSON MODEL_FOLDER [--shapes small,large] [--quick]";
const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const threads = Number(process.env.OMP_NUM_THREADS ?? availableParallelism());
const env = { ...process.env, OMP_NUM_THREADS: String(threads) };

const newWorker = (): Peer => new Peer("ours", process.execPath, [path("worker.js")], env);

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

/** Draws the large shape's weights in a process of their own. */
const createLarge = async (folder: string, tokenizer: string): Promise<number> => {
  const worker = newWorker();
  try {
    return (await worker.ask<{ parameters: number }>({ create: folder, tokenizer })).parameters;
  } finally {
    worker.close();
  }
};

const run = async (data: string, model: string, shapes: readonly Shape[], quick: boolean): Promise<void> => {
  const place = mkdtempSync(join(tmpdir(), "promptloss-training-model-"));
  const peers = new Peers();
  const results: Result[] = [];
  const before = loadavg()[0]!;
  try {
    const large = join(place, "large");
    const largeParameters = shapes.includes("large") ? await createLarge(large, model) : undefined;
    for (const each of casesOf(shapes, quick)) {
      const { shape } = each;
      const folder = shape === "large" ? large : model;
      const at = { data, model: folder, threads, length: lengthOf(shape, quick) };
      const result = await measureCase(each, at, (side) => peers.of(side));
      results.push(result);
      console.log(speedRow(result).join("  "));
      const setting: Setting = {
        machine: machine(),
        threads,
        data: basename(data),
        model: basename(model),
        quick,
        largeParameters,
        load: [before, loadavg()[0]!],
      };
      // After every case, so that a run cut short leaves what it has measured.
      writeSection("training", sectionOf(results, setting), { ...setting, results });
    }
  } finally {
    peers.close();
    rmSync(place, { recursive: true });
  }
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { shapes: { type: "string", default: "small,large" }, quick: { type: "boolean", default: false } },
});
const [data, model] = positionals;
const shapes = values.shapes.split(",");
const known = (shape: string): shape is Shape => shape === "small" || shape === "large";
if (data === undefined || model === undefined || !shapes.every(known)) {
  console.error(USAGE);
  process.exitCode = 2;
} else await run(data, model, shapes, values.quick);
