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
    .option("--tasks <names>", "with commas between them; all that both have where left out", (text) =>
      text.split(",").map((name) => name.trim()),
    )
    .option("--resamples <count>", "of the bootstrap (1000)", positiveCount)
    .option("--seed <number>", "of the bootstrap (0)", wholeNumber)
    .option("--level <share>", "of the intervals (0.95)", share)
    .option("--json", "print the comparisons as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/compare.ts")).runCompare(...given),
    );
}
