// How far the statistics can be trusted: `npm run bench:calibration`. Simulated studies go through the code of
// `study results`; shares with their binomial intervals go to the terminal, and with --write to docs/.
import { parseArgs } from "node:util";
import { writeSection } from "../lib/report.ts";
import { writeAims, writePictures } from "./pictures.ts";
import { aimLines, calibrationTables } from "./table.ts";
import { type Tally, tally } from "./tally.ts";
import { DESIGNS, TRUTHS } from "./truths.ts";

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
const tallies: Tally[] = [];
for (const truth of TRUTHS) {
  for (const design of DESIGNS) {
    tallies.push(tally(design, truth, studies, seed));
    process.stderr.write(`${truth.name}, ${design.weights} × ${design.seeds}\n`);
  }
}
const text = [
  `${studies} studies a line, seed ${seed}; shares with 95 % intervals (Wilson).`,
  calibrationTables(tallies),
  aimLines(tallies),
].join("\n\n");
process.stdout.write(`${text}\n`);
if (values.write) {
  writeSection("calibration", text, { studies, seed, tallies });
  writePictures(tallies);
  writeAims(aimLines(tallies));
}
