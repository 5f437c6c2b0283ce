import { type Command, Option } from "commander";
import { taskGroups } from "../statistics/choice/task-groups.ts";
import { RECIPE_OR_DATA, withRenderingOptions } from "./data-options.ts";
import { wholeNumber } from "./options.ts";

type Action = typeof import("./actions/inspect.ts").runInspect;

export function inspectCommand(command: Command): Command {
  return withRenderingOptions(command.argument(...RECIPE_OR_DATA.several))
    .addOption(new Option("--task-group <name>", "what the model is for").choices(taskGroups))
    .option("--sample <rows>", "rows to sample for the figures of training", wholeNumber, 1000)
    .option("--seed <number>", "seed of that sample", wholeNumber, 0)
    .option("--json", "print the inspection as JSON")
    .option("--html <file>", "write it as one HTML page too")
    .option("--verbose", "list the rows that were left out")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/inspect.ts")).runInspect(...given),
    );
}
