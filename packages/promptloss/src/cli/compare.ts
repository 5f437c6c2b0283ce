// `promptloss compare`: two evaluations item by item.
import { type Command, InvalidArgumentError } from "commander";
import { anyNumber, positiveCount, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/compare.ts").runCompare;

function share(text: string): number {
  const value = anyNumber(text);
  if (value <= 0 || value >= 1) throw new InvalidArgumentError("It should be between 0 and 1.");
  return value;
}

export function compareCommand(command: Command): Command {
  return command
    .argument("<a>", "the output folder of promptloss evaluate")
    .argument("<b>", "another, of the same items")
    .option("--tasks <names>", "tasks, separated by commas (default: all that both have)", (text) =>
      text.split(",").map((name) => name.trim()),
    )
    .option("--resamples <count>", "resamples of the bootstrap (default: 1000)", positiveCount)
    .option("--seed <number>", "seed of the bootstrap (default: 0)", wholeNumber)
    .option("--level <share>", "level of the intervals (default: 0.95)", share)
    .option("--json", "print the comparisons as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/compare.ts")).runCompare(...given),
    );
}
