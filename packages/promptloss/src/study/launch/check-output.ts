// Whether a study's output can be written, and overwrites nothing that the study reads.
import { join } from "node:path";
import { recipeInputs } from "../../data-plan/index.ts";
import { checkOutputFolder, type Input, protectInputs } from "../../files/output.ts";
import type { Study } from "../plan/read-study.ts";
import { resultsFiles } from "../results/results-file.ts";

/** @throws {OutputError} */
export async function checkStudyOutput(study: Study): Promise<void> {
  const { output, file, cells, tasks, kept } = study;
  checkOutputFolder(output);
  if (kept !== undefined) checkOutputFolder(kept.folder);
  const written = [
    ...resultsFiles(output),
    ...(kept === undefined ? [] : resultsFiles(kept.folder)),
    join(output, "report.html"),
    join(output, "slurm"),
    ...cells.map(({ id }) => join(output, "cells", id)),
  ];
  const inputs = new Map<string, Input>([[file, { what: "the study file", path: file }]]);
  for (const { recipe } of cells)
    for (const input of await recipeInputs(recipe, undefined)) inputs.set(input.path, input);
  for (const { task, options } of tasks)
    for (const value of Object.values(options))
      if (typeof value === "string") inputs.set(value, { what: `what task ${task} reads`, path: value });
  protectInputs(written, [...inputs.values()]);
}
