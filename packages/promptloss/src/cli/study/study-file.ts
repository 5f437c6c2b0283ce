// The options that all commands over a study file have, and how a cell is named.
import type { Command } from "commander";
import { setOption } from "../options.ts";

export interface StudyFlags {
  set?: string[];
  strict?: true;
  output?: string;
}

export function withStudyOptions(command: Command, argument = "<study>"): Command {
  return command
    .argument(argument, "a study file (.yaml)")
    .addOption(setOption())
    .option("-o, --output <folder>", "the folder of cells and results (default: the file's)");
}

/** "plw 0.1, seed 2". */
export function cellName(levels: Readonly<Record<string, string | number>>): string {
  return Object.entries(levels)
    .map(([name, label]) => `${name} ${label}`)
    .join(", ");
}
