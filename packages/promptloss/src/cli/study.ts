// `promptloss study`: factorial studies from a file: plan, run, status, results.
import { Command } from "commander";
import { planCommand } from "./study/plan.ts";
import { resultsCommand } from "./study/results.ts";
import { runCommand } from "./study/run.ts";
import { statusCommand } from "./study/status.ts";

export function studyCommand(): Command {
  const command = new Command("study").description(
    "train and evaluate every cell of a study file, and model the results",
  );
  for (const make of [planCommand, runCommand, statusCommand, resultsCommand])
    command.addCommand(make().exitOverride());
  return command;
}
