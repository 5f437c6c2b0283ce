// `promptloss study run`: trains and evaluates the cells that are not done. Exit code 1 where a cell failed.
import { Command, Option } from "commander";
import { collect, positiveCount, strictOption } from "../options.ts";
import { withStudyOptions } from "./study-file.ts";

type Action = typeof import("./actions/run.ts").runRun;

export function runCommand(): Command {
  return withStudyOptions(
    new Command("run").description("train and evaluate the cells that are not done; run it again to go on"),
  )
    .option("--concurrency <cells>", "cells at a time, in place of the file's", positiveCount)
    .option("--retry", "begin failed cells again, from their checkpoints")
    .option("--overwrite", "begin the trainings of cells that are not done anew")
    .addOption(strictOption())
    .option("--cell <id>", "this cell only; again for more", collect, [])
    .addOption(
      new Option("--launcher <name>", "local processes, or an array job of Slurm")
        .choices(["local", "slurm"])
        .default("local"),
    )
    .option("--json", "print what was done as JSON, and nothing else")
    .option("--events", "print events as JSON lines in place of the live view")
    .action(async (...given: Parameters<Action>) => (await import("./actions/run.ts")).runRun(...given));
}
