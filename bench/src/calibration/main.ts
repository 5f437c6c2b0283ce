// How far the statistics can be trusted: `npm run bench:calibration`. Simulated studies go through the code of
// `study results`; shares with their binomial intervals go to the terminal, and with --write to docs/.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { writeLines, writeSection } from "../lib/report.ts";
import { writePictures } from "./pictures.ts";
import type { SamplingTally } from "./sampling.ts";
import { aimLines, ruleLines, sectionOf } from "./table.ts";
import type { Tally } from "./tally.ts";
import { DESIGNS, TRUTHS } from "./truths.ts";
import type { Asked, Job, Line } from "./worker.ts";

const USAGE = "npm run bench:calibration -- [--studies 1000] [--seed 1] [--write]";

const { values } = parseArgs({
  options: {
    studies: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    write: { type: "boolean", default: false },
  },
});
const [studies, seed] = [Number(values.studies), Number(values.seed)];
if (!Number.isInteger(studies) || studies < 1 || !Number.isInteger(seed) || seed < 1) {
  process.stderr.write(`--studies and --seed are whole numbers from 1\nusage: ${USAGE}\n`);
  process.exit(2);
}
const ofTruths = TRUTHS.flatMap((_, truth) => DESIGNS.map((_, design): Job => ({ truth, design })));
// Without the two designs that carry no verdict.
const ofSampling = [2, 3, 4, 5].flatMap((design) =>
  [true, false].flatMap((sharedItems) =>
    (["none", "quadratic"] as const).map((course): Job => ({ design, sharedItems, course })),
  ),
);
const lines = await linesOf([...ofTruths, ...ofSampling]);
const tallies = lines.slice(0, ofTruths.length) as Tally[];
const sampling = lines.slice(ofTruths.length) as SamplingTally[];
const figures = { studies, seed, tallies, sampling };
process.stdout.write(`${sectionOf(figures)}\n`);
if (values.write) {
  writeSection("calibration", sectionOf(figures), figures);
  writePictures(tallies);
  writeLines("statistics.md", "calibration-aims", aimLines(tallies));
  writeLines("statistics.md", "calibration-rules", ruleLines(tallies, sampling));
}

/** In the jobs' order, on as many threads as there are cores. */
async function linesOf(jobs: readonly Job[]): Promise<Line["result"][]> {
  const results = new Array<Line["result"]>(jobs.length);
  let next = 0;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("worker.js", import.meta.url));
      const ask = (): void => {
        const job = next++;
        if (job < jobs.length) worker.postMessage({ job, what: jobs[job]!, studies, seed } satisfies Asked);
        else worker.terminate().then(() => resolve(), reject);
      };
      worker.on("error", reject).on("message", ({ job, result }: Line) => {
        results[job] = result;
        const { truth = "sampling error" } = result as Partial<Tally>;
        process.stderr.write(`${truth}, ${result.design}\n`);
        ask();
      });
      ask();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}
