// `promptloss train`: fine-tunes a model as a recipe says, in a process of its own.
import type { Command } from "commander";
import { eventFieldLines } from "../training/events/fields.ts";
import { positiveCount, setOption, strictOption } from "./options.ts";

type Action = typeof import("./actions/train.ts").runTrain;

export function trainCommand(command: Command): Command {
  return command
    .argument("<recipe>", "a recipe (.yaml)")
    .addOption(setOption())
    .option(
      "--processes <count>",
      "processes on this machine that train together (training.processes)",
      positiveCount,
    )
    .addOption(strictOption())
    .option("--dry-run", "print the plan and train nothing")
    .option("--overwrite", "remove another run from the output folder")
    .option("--extend", "continue a finished run for more epochs or steps")
    .option("--profile", "record the operators of steps 3 to 5, as a trace and a table in the output folder")
    .option("--events", "print events as JSON lines instead of the live view")
    .option("--json", "with --dry-run: print the plan as JSON")
    .addHelpText("after", () => `\nEvents and their fields (--events):\n${eventFieldLines().join("\n")}`)
    .action(async (...given: Parameters<Action>) => (await import("./actions/train.ts")).runTrain(...given));
}
