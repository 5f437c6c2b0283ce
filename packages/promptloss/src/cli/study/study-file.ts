// The options that all commands over a study file have, and the study that they say.
import type { Command } from "commander";
import { parseAssignment } from "../../config-file/index.ts";
import { readStudy, type Study } from "../../study/index.ts";
import { setOption } from "../options.ts";

export interface StudyFlags {
  set?: string[];
  output?: string;
}

export function withStudyOptions(command: Command, argument = "<study>"): Command {
  return command
    .argument(argument, "a study file (.yaml)")
    .addOption(setOption())
    .option("-o, --output <folder>", "where cells and results are kept, in place of the file's");
}

export function studyOf(file: string, { set = [], output }: StudyFlags): Study {
  const study = readStudy(file, {
    set: Object.fromEntries(set.map(parseAssignment).map(({ path, value }) => [path.join("."), value])),
  });
  return { ...study, ...(output !== undefined && { output }) };
}

/** "plw 0.1, seed 2". */
export function cellName(levels: Readonly<Record<string, string | number>>): string {
  return Object.entries(levels)
    .map(([name, label]) => `${name} ${label}`)
    .join(", ");
}
