// `promptloss study`: factorial studies from a file: plan, run, status, results, report.
import type { Command } from "commander";
import { planCommand } from "./study/plan.ts";
import { reportCommand } from "./study/report.ts";
import { resultsCommand } from "./study/results.ts";
import { runCommand } from "./study/run.ts";
import { statusCommand } from "./study/status.ts";
import { workCommand } from "./study/work.ts";

export function studyCommand(command: Command): Command {
  for (const make of [planCommand, runCommand, workCommand, statusCommand, resultsCommand, reportCommand])
    command.addCommand(make().exitOverride());
  return command;
}
