// What each of our kernels earns in training: the same steps with it and with its plain twin, in turns, in one run:
// `npm run bench:kernels -- ALPACA_JSON MODEL_FOLDER [--only "RMS norm"] [--rounds 5] [--force]`.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { beginMeasuring, threadsOfSides } from "../lib/conditions.ts";
import type { Peer } from "../lib/peer.ts";
import { machine, writeSection } from "../lib/report.ts";
import { BATCH, type Case, lengthOf, MAX_LENGTH } from "../training/cases.ts";
import { openRequest, takeTurns } from "../training/measure.ts";
import { askOnce, newWorker } from "../training/workers.ts";
import { earned, KERNELS, type Kernel, type KernelFigures, sectionOf } from "./section.ts";

const sources = fileURLToPath(new URL("../../../packages/torch/native/ops/", import.meta.url));

/** Lines of C++ that are neither empty nor comments. */
function linesOf(kernel: Kernel): number {
  const files = ["kernels", "operators"].flatMap((folder) =>
    readdirSync(join(sources, folder))
      .filter((file) => KERNELS[kernel].some((stem) => file.startsWith(stem)))
      .map((file) => join(sources, folder, file)),
  );
  return files
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .filter((line) => !/^\s*($|\/\/|\/?\*)/.test(line)).length;
}

const CASES = (["small", "large"] as const).flatMap((shape) =>
  (["bfloat16", "float32"] as const).map(
    (precision): Case => ({
      ...{ shape, precision, lora: false, promptLossWeight: 0.1 },
      ...{ batch: BATCH, maxLength: MAX_LENGTH, full: false },
    }),
  ),
);

interface Wanted {
  readonly data: string;
  readonly model: string;
  readonly kernels: readonly Kernel[];
  readonly rounds: number;
  /** Load average before anything was measured. */
  readonly before: number;
}

async function run({ data, model, kernels, rounds, before }: Wanted): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), "promptloss-kernels-"));
  const workers: Peer[] = [];
  const threads = threadsOfSides();
  const lines = Object.fromEntries(kernels.map((kernel) => [kernel, linesOf(kernel)]));
  const measured: KernelFigures["measured"][number][] = [];
  try {
    const large = join(place, "large");
    const { parameters } = await askOnce<{ parameters: number }>({
      ...{ create: "large", folder: large, tokenizer: model },
    });
    for (const each of CASES)
      for (const kernel of kernels) {
        const { shape, precision } = each;
        const at = {
          ...{ data, threads, length: lengthOf(shape, rounds) },
          model: shape === "small" ? model : large,
        };
        const sides = await takeTurns(["with", "without"], rounds, (side) => {
          const folder = join(place, `${shape}-${precision}-${kernel}-${side}`);
          mkdirSync(folder);
          workers.push(newWorker("tuned"));
          const request = openRequest(each, at, folder);
          return [workers.at(-1)!, side === "with" ? request : { ...request, without: kernel }];
        });
        for (const worker of workers.splice(0)) worker.close();
        measured.push({ shape, precision, kernel, with: sides.with!, without: sides.without! });
        console.log(`${shape}  ${precision}  ${kernel}  ${earned(measured.at(-1)!)}`);
        // After every pair, so that a run cut short leaves what it has measured.
        const figures: KernelFigures = {
          machine: machine(),
          threads,
          data: basename(data),
          model: basename(model),
          parameters,
          load: [before, loadavg()[0]!],
          lines,
          measured,
        };
        if (kernels.length === Object.keys(KERNELS).length)
          writeSection("kernels", sectionOf(figures), figures);
      }
  } finally {
    for (const worker of workers) worker.close();
    rmSync(place, { recursive: true });
  }
}

const before = beginMeasuring();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, rounds: { type: "string", default: "5" } },
});
const [data, model] = positionals;
const all = Object.keys(KERNELS) as Kernel[];
const kernels = values.only === undefined ? all : all.filter((each) => each === values.only);
const rounds = Number(values.rounds);
if (data === undefined || model === undefined || kernels.length === 0 || !(rounds >= 1)) {
  console.error(
    `usage: npm run bench:kernels -- ALPACA_JSON MODEL_FOLDER [--only KERNEL] [--rounds 5] [--force]\nkernels: ${all.join(", ")}`,
  );
  process.exitCode = 2;
} else await run({ data, model, kernels, rounds, before });
