import { type Command, Option } from "commander";
import {
  RECIPE_OR_DATA,
  withLengthOptions,
  withRenderingOptions,
  withWeightOptions,
} from "./data-options.ts";
import { numberSet, positiveCount, turnPolicy, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/preview.ts").runPreview;

export function previewCommand(command: Command): Command {
  const weighed = withWeightOptions(
    withRenderingOptions(command.argument(...RECIPE_OR_DATA.one)),
    "prompt loss weight (default: predicted from the data)",
  );
  return withLengthOptions(weighed)
    .option("--turns <which>", "assistant turns to train: all, last, or numbers such as 1,-1", turnPolicy)
    .option("--rows <numbers>", "rows of the file, such as 1,5-7", numberSet)
    .addOption(
      new Option("--random <count>", "that many random rows").argParser(positiveCount).conflicts("rows"),
    )
    .option("--seed <number>", "seed of the random rows", wholeNumber)
    .option("--tokens", "list each token with position, id, class and weight")
    .addOption(
      new Option("--on-bad-row <policy>", "what to do with rows that can't be used (default: error)").choices(
        ["error", "skip"],
      ),
    )
    .option("--json", "print rows, tokens and weights as JSON")
    .option("--verbose", "list the rows that were left out")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/preview.ts")).runPreview(...given),
    );
}
