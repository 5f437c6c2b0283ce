// `promptloss study report`: the page of a study, from its file or from its output folder.
import { statSync } from "node:fs";
import { join } from "node:path";
import { PromptlossError } from "../../../errors.ts";
import { makeFolder } from "../../../files/atomic.ts";
import { checkOutputFile, type Input, protectInputs } from "../../../files/output.ts";
import { type StudyReport, writeStudyReport } from "../../../report/index.ts";
import { writeResults } from "../../../study/index.ts";
import { resultsFiles } from "../../../study/results/results-file.ts";
import { harmlessJson } from "../../../terminal/index.ts";
import { studyOf } from "../read-study-file.ts";

interface Flags {
  set: string[];
  output?: string;
  json?: true;
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

export async function runReport(study: string, flags: Flags): Promise<void> {
  const { path, content } = await write(study, flags);
  const findings = content.fits.fits.map(({ taskGroup, generationRatio, effect, problem }) => ({
    ...{ taskGroup: taskGroup ?? null, generationRatio: generationRatio ?? null },
    finding: effect?.sentence ?? problem ?? null,
  }));
  process.stdout.write(flags.json ? `${harmlessJson({ path, findings }, 2)}\n` : `${path}\n`);
}
