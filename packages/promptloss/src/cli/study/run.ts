// `promptloss study run`: trains and evaluates the cells that are not done. Exit code 1 where a cell failed.
import { Command, Option } from "commander";
import { collect, positiveCount, strictOption } from "../options.ts";
import { withStudyOptions } from "./study-file.ts";

type Action = typeof import("./actions/run.ts").runRun;

export function runCommand(): Command {
  return withStudyOptions(
    new Command("run").description("train and evaluate the cells that are not done; run it again to resume"),
  )
    .option("--concurrency <cells>", "cells at a time (default: the file's)", positiveCount)
    .option("--retry", "run failed cells again, from their checkpoints")
    .option("--overwrite", "start unfinished cells again from the beginning")
    .addOption(strictOption())
    .option("--cell <id>", "run only this cell; repeatable", collect, [])
    .addOption(
      new Option("--launcher <name>", "local processes, or an array job of Slurm")
        .choices(["local", "slurm"])
        .default("local"),
    )
    .option("--srun", "start cells of several processes as steps of the Slurm job that this runs in")
    .option("--json", "print what was done as JSON, and nothing else")
    .option("--events", "print events as JSON lines instead of the live view")
    .action(async (...given: Parameters<Action>) => (await import("./actions/run.ts")).runRun(...given));
}
