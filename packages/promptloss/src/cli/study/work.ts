// `promptloss study work`: one of several that share a study: takes cells that nobody has until none is left.
import { Command } from "commander";
import { positiveCount, strictOption } from "../options.ts";
import { withStudyOptions } from "./study-file.ts";

type Action = typeof import("./actions/run.ts").runWork;

export function workCommand(): Command {
  return withStudyOptions(
    new Command("work").description(
      "train and evaluate cells that no other worker has, until none is left; start any number of them",
    ),
  )
    .addOption(strictOption())
    .option("--concurrency <cells>", "cells at a time", positiveCount, 1)
    .option("--retry", "run failed cells again, from their checkpoints")
    .option("--srun", "start cells of several processes as steps of the Slurm job that this runs in")
    .option("--json", "print what was done as JSON, and nothing else")
    .option("--events", "print events as JSON lines instead of the live view")
    .action(async (...given: Parameters<Action>) => (await import("./actions/run.ts")).runWork(...given));
}
