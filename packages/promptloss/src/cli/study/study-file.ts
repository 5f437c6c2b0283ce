// The options that all commands over a study file have, and the study that they say.
import type { Command } from "commander";
import { parse } from "yaml";
import { PromptlossError } from "../../errors.ts";
import { readStudy, type Study } from "../../study/index.ts";
import { collect } from "../options.ts";

export interface StudyFlags {
  set: string[];
  output?: string;
}

export const withStudyOptions = (command: Command, argument = "<study>"): Command =>
  command
    .argument(argument, "a study file (.yaml)")
    .option(
      "--set <key=value>",
      "a recipe key for all cells, as training.epochs=1; again for more",
      collect,
      [],
    )
    .option("--output <folder>", "where cells and results are kept, in place of the file's");

export const studyOf = (file: string, { set, output }: StudyFlags): Study => {
  const study = readStudy(file, { set: Object.fromEntries(set.map(assignment)) });
  return { ...study, ...(output !== undefined && { output }) };
};

/** "a.b=c", the value as YAML. */
const assignment = (text: string): [string, unknown] => {
  const at = text.indexOf("=");
  if (at < 1)
    throw new PromptlossError(`--set ${text} is no assignment`, { hint: "write it as training.epochs=1" });
  try {
    return [text.slice(0, at), parse(text.slice(at + 1))];
  } catch (cause) {
    throw new PromptlossError(`--set ${text}: ${(cause as Error).message}`, { cause });
  }
};

/** "plw 0.1, seed 2". */
export const cellName = (levels: Readonly<Record<string, string | number>>): string =>
  Object.entries(levels)
    .map(([name, label]) => `${name} ${label}`)
    .join(", ");
