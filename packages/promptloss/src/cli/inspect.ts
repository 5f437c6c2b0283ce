import { type Command, Option } from "commander";
import { taskGroups } from "../statistics/choice/task-groups.ts";
import { RECIPE_OR_DATA, withRenderingOptions } from "./data-options.ts";
import { wholeNumber } from "./options.ts";

type Action = typeof import("./actions/inspect.ts").runInspect;

export function inspectCommand(command: Command): Command {
  return withRenderingOptions(command.argument(...RECIPE_OR_DATA.several))
    .addOption(new Option("--task-group <name>", "what the model is for").choices(taskGroups))
    .option("--sample <rows>", "rows to render whole for the figures of training", wholeNumber, 1000)
    .option("--seed <number>", "of that sample", wholeNumber, 0)
    .option("--json", "print the inspection as JSON")
    .option("--html <file>", "write it as a page that stands by itself")
    .option("--verbose", "list rows that were left out")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/inspect.ts")).runInspect(...given),
    );
}
