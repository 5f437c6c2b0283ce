// `promptloss study report`: the page of a study, from its file or from its output folder.
import { statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { PromptlossError } from "../../errors.ts";
import { makeFolder } from "../../files/atomic.ts";
import { checkOutputFile, type Input, protectInputs } from "../../files/output.ts";
import { type StudyReport, writeStudyReport } from "../../report/index.ts";
import { writeResults } from "../../study/index.ts";
import { resultsFiles } from "../../study/results/results-file.ts";
import { harmlessJson } from "../../terminal/index.ts";
import { collect } from "../options.ts";
import { studyOf } from "./study-file.ts";

interface Flags {
  set: string[];
  output?: string;
  json?: true;
}

export function reportCommand(): Command {
  return new Command("report")
    .description("write charts, models and method of what is done so far as one HTML file")
    .argument("<study>", "a study file (.yaml), or a study's output folder")
    .option(
      "--set <key=value>",
      "a recipe key for all cells, as given to study run; again for more",
      collect,
      [],
    )
    .option("-o, --output <file>", "the HTML file; report.html in the study's folder where left out")
    .option("--json", "print where it is and what was found as JSON")
    .action(async (study: string, flags: Flags) => {
      const { path, content } = await write(study, flags);
      const findings = content.fits.fits.map(({ taskGroup, generationRatio, effect, problem }) => ({
        ...{ taskGroup: taskGroup ?? null, generationRatio: generationRatio ?? null },
        finding: effect?.sentence ?? problem ?? null,
      }));
      process.stdout.write(flags.json ? `${harmlessJson({ path, findings }, 2)}\n` : `${path}\n`);
    });
}

function write(study: string, { set, output }: Flags): Promise<StudyReport> {
  const options = output === undefined ? {} : { output };
  if (output !== undefined) checkOutputFile(output);
  if (statSync(study, { throwIfNoEntry: false })?.isDirectory()) {
    if (set.length > 0)
      throw new PromptlossError("--set changes the cells of a study file, and a folder has none", {
        hint: "give the study file in place of its folder",
      });
    if (output !== undefined) protectInputs([output], resultInputs(study));
    return writeStudyReport(study, options);
  }
  const read = studyOf(study, { set });
  const recipes = { what: "the study file", path: study };
  if (output !== undefined) protectInputs([output], [recipes, ...resultInputs(read.output)]);
  // Of a study that was not begun there is a page, too.
  makeFolder(read.output);
  const results = writeResults(read);
  return writeStudyReport(read.output, { ...options, results, cells: read.cells });
}

function resultInputs(folder: string): Input[] {
  return [
    ...resultsFiles(folder).map((path) => ({ what: "the results", path })),
    { what: "the cells", path: join(folder, "cells"), grows: true },
  ];
}
