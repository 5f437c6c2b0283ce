// `promptloss study plan`: the cells of a study, and what they will take.
import { Command } from "commander";
import { strictOption } from "../options.ts";
import { withStudyOptions } from "./study-file.ts";

type Action = typeof import("./actions/plan.ts").runPlan;

export function planCommand(): Command {
  return withStudyOptions(
    new Command("plan").description("list the cells, with expected tokens, time and disk"),
    "<study...>",
  )
    .addOption(strictOption())
    .option("--measure", "train four steps of each model without a finished cell, to estimate times")
    .option("--pilot <folder>", "the output folder of an earlier study, which says how noisy runs are")
    .option("--json", "print the plan as JSON; of several studies as a list")
    .action(async (...given: Parameters<Action>) => (await import("./actions/plan.ts")).runPlan(...given));
}
