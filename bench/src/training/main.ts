// Training against TRL and a bare PyTorch loop, side by side in one run:
// `npm run bench:training -- ALPACA_JSON MODEL_FOLDER [--shapes small,large] [--costs] [--quick] [--rounds 7] [--force]`. With
// --costs, what a token costs by length, batch and model instead, against the same sides.
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Allocator, beginMeasuring, sidesEnvironment, threadsOfSides } from "../lib/conditions.ts";
import { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { casesOf, costCasesOf, DRAWN, lengthOf, type Shape, type Side } from "./cases.ts";
import { costSectionOf } from "./costs.ts";
import { measureCase, type Result } from "./measure.ts";
import type { PeakAnswer } from "./protocol.ts";
import { type Setting, sectionOf, speedRow } from "./table.ts";
import { askOnce, newWorker } from "./workers.ts";

const USAGE =
  "usage: npm run bench:training -- ALPACA_JSON MODEL_FOLDER [--shapes small,large] [--costs] [--quick] [--rounds 7] [--processor AMX] [--force]";
function path(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
const threads = threadsOfSides();

/** Ours: a process a case. Python's: a process that forks one a case. */
class Peers {
  readonly #python = new Map<Side, Peer>();
  readonly #allocator: Allocator;
  #worker: Peer | undefined;

  constructor(allocator: Allocator) {
    this.#allocator = allocator;
  }

  of(side: Side): Peer {
    if (side === "ours") {
      this.#worker?.close();
      this.#worker = newWorker(this.#allocator);
      return this.#worker;
    }
    const command = process.env.PROMPTLOSS_PYTHON ?? "python3";
    const args = [path("../../src/training/peer.py"), side];
    const peer = this.#python.get(side) ?? new Peer(side, command, args, sidesEnvironment(this.#allocator));
    this.#python.set(side, peer);
    return peer;
  }

  close(): void {
    this.#worker?.close();
    for (const peer of this.#python.values()) peer.close();
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
  /** What the table's processor is called where it stands beside another's: `AMX`. */
  readonly processor?: string | undefined;
  /** Load average before anything was measured. */
  readonly before: number;
}

async function run({
  data,
  model,
  shapes,
  costs,
  quick,
  rounds,
  flags,
  processor,
  before,
}: Wanted): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), "promptloss-training-model-"));
  const peers = { tuned: new Peers("tuned"), "as it comes": new Peers("as it comes") };
  const results: Result[] = [];
  const asItComes: Result[] = [];
  const cases = costs ? costCasesOf().map((each) => each.case) : casesOf(shapes, quick);
  const named = processor === undefined ? "training" : `training-${processor.toLowerCase()}`;
  const section = costs ? "training-costs" : named;
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
      const measured = async (allocator: Allocator, into: Result[]): Promise<void> => {
        const result = await measureCase(each, at, (side) => peers[allocator].of(side));
        into.push(result);
        console.log(speedRow(result, peak).join("  "));
      };
      const isFirst = results.every((result) => result.case.shape !== shape);
      await measured("tuned", results);
      if (isFirst && !costs) await measured("as it comes", asItComes);
      const setting: Setting = {
        machine: machine(),
        threads,
        allocator: "tuned",
        ...(asItComes.length > 0 && { asItComes }),
        data: basename(data),
        model: basename(model),
        flags,
        ...(processor !== undefined && { processor }),
        peak,
        parameters,
        load: [before, loadavg()[0]!],
      };
      const text = (costs ? costSectionOf : sectionOf)(results, setting);
      // After every case, so that a run cut short leaves what it has measured.
      writeSection(section, text, { ...setting, results });
    }
  } finally {
    for (const each of Object.values(peers)) each.close();
    rmSync(place, { recursive: true });
  }
}

const before = beginMeasuring();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shapes: { type: "string", default: "small,large" },
    costs: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    processor: { type: "string" },
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
  await run({
    data,
    model,
    shapes,
    costs: values.costs,
    quick: values.quick,
    rounds,
    flags,
    processor: values.processor,
    before,
  });
}
