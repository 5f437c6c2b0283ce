// How far the statistics can be trusted: `npm run bench:calibration`. Simulated studies go through the code of
// `study results`; shares with their binomial intervals go to the terminal, and with --write to docs/.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { writeLines, writeSection } from "../lib/report.ts";
import { writePictures } from "./pictures.ts";
import type { SamplingTally } from "./sampling.ts";
import { aimLines, type CalibrationFigures, ruleLines, sectionOf } from "./table.ts";
import type { Tally } from "./tally.ts";
import { DESIGNS, TRUTHS } from "./truths.ts";
import type { Asked, Job, Line } from "./worker.ts";

const USAGE = "npm run bench:calibration -- [--studies 1000] [--seed 1] [--only TEXT] [--write]";
const FIGURES = new URL("../../../docs/benchmarks-calibration.json", import.meta.url);

const { values } = parseArgs({
  options: {
    studies: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
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
const { only } = values;
// Lines whose truth has the text in its name, as "weak" or "sampling error", are drawn anew; the others come from docs/.
const known =
  only === undefined ? undefined : (JSON.parse(readFileSync(FIGURES, "utf8")) as CalibrationFigures);
if (
  known !== undefined &&
  (known.studies !== studies || known.seed !== seed || ![...ofTruths, ...ofSampling].some(isAsked))
) {
  process.stderr.write(
    `--only takes the other lines from docs/, which are of ${known.studies} studies and seed ${known.seed}: give these, and ` +
      `part of a truth's name\nusage: ${USAGE}\n`,
  );
  process.exit(2);
}
const drawn = await linesOf([...ofTruths, ...ofSampling].filter(isAsked));
const tallies = merged<Tally>(ofTruths, known?.tallies);
const sampling = merged<SamplingTally>(ofSampling, known?.sampling);
const figures: CalibrationFigures = { studies, seed, tallies, sampling };
process.stdout.write(`${sectionOf(figures)}\n`);
if (values.write) {
  writeSection("calibration", sectionOf(figures), figures);
  writePictures(tallies);
  writeLines("statistics.md", "calibration-aims", aimLines(tallies));
  writeLines("statistics.md", "calibration-rules", ruleLines(tallies, sampling));
}

function isAsked(job: Job): boolean {
  return only === undefined || nameOf(job).includes(only);
}

/** What was drawn now, in order, and the rest as it was. */
function merged<Of>(jobs: readonly Job[], before: readonly Of[] | undefined): Of[] {
  return jobs.map((job, k) => (isAsked(job) ? (drawn.shift() as Of) : before![k]!));
}

function nameOf(job: Job): string {
  return "truth" in job ? TRUTHS[job.truth]!.name : "sampling error";
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
        process.stderr.write(`${nameOf(jobs[job]!)}, ${result.design}\n`);
        ask();
      });
      ask();
    });
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}
