// `promptloss study results`: the tidy table of what is done so far, and its models.
import { Command } from "commander";
import { renderSummary } from "../../statistics/index.ts";
import { fitStudy, fitsToJson, type StudyFit, type StudyFits, writeResults } from "../../study/index.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import { type StudyFlags, studyOf, withStudyOptions } from "./study-file.ts";

interface Flags extends StudyFlags {
  json?: true;
}

export const resultsCommand = (): Command =>
  withStudyOptions(
    new Command("results").description("write the table of what is done so far, and print its models"),
  )
    .option("--json", "print the models as JSON")
    .action((file: string, { json, ...flags }: Flags) => {
      const study = studyOf(file, flags);
      const results = writeResults(study);
      const fits = fitStudy(results);
      if (json) {
        process.stdout.write(`${harmlessJson(fitsToJson(fits), 2)}\n`);
        return;
      }
      const done = new Set(results.rows.map(({ cell }) => cell)).size;
      process.stdout.write(
        `${done} of ${results.cells} cells, ${results.rows.length} values in ${study.output}/results.csv\n${text(fits)}`,
      );
    });

const text = ({ fits, transforms, notes }: StudyFits): string =>
  [
    ...transforms.map(({ name, description }) => `transform: ${name}, ${description}`),
    ...notes.map((note) => `note: ${note}`),
    ...fits.map(fitText),
  ]
    .map((line) => `${line}\n`)
    .join("");

const fitText = (each: StudyFit): string => {
  const { taskGroup, generationRatio, rows, fit, effect, problem } = each;
  const ratio = generationRatio === undefined ? "" : `, Rg ${Number(generationRatio.toPrecision(3))}`;
  return [
    "",
    ink.bold(`${taskGroup ?? "all tasks"}${ratio}: ${rows.length} scores`),
    ...(fit === undefined ? [] : [renderSummary(fit)]),
    ...(effect === undefined ? [] : [effect.sentence]),
    ...(problem === undefined ? [] : [`${ink.yellow("!")} ${problem}`]),
  ].join("\n");
};
