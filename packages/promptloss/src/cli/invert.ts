// `promptloss invert`: short-completion data from long-completion data, by asking for the prompt.
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_WORDING } from "../invert/invert-rows.ts";
import { TARGET_WAYS } from "../invert/target-ways.ts";
import { withDataOptions } from "./data-options.ts";
import { wholeNumber } from "./options.ts";

type Action = typeof import("./actions/invert.ts").runInvert;

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError("It should be a positive number.");
  return value;
}

export function invertCommand(command: Command): Command {
  return withDataOptions(
    command
      .argument(
        "<recipe | data...>",
        "a recipe (.yaml), or files, patterns, dataset folders or hub ids with instructions and outputs",
      )
      .option(
        "--tokenizer <folder>",
        "the tokenizer that counts lengths: a Hugging Face model or tokenizer folder (default: the recipe's)",
      )
      .requiredOption("-o, --output <file>", "the Alpaca JSON file to write; a report is written beside it"),
  )
    .option("--instruction <text>", "the instruction of inverted rows", DEFAULT_WORDING.instruction)
    .option(
      "--completion <text>",
      "the new completion, from {instruction} and {input}",
      DEFAULT_WORDING.output,
    )
    .option("--all", "invert rows with short completions too")
    .option(
      "--target-ratio <ratio>",
      "change only as many rows as it takes to reach this generation ratio",
      positive,
    )
    .addOption(
      new Option("--by <way>", "how to reach it: by inverting rows, or by sampling (leaving rows out)")
        .choices(TARGET_WAYS)
        .default("inverting"),
    )
    .option("--seed <number>", "seed of the draw of rows for a target ratio", wholeNumber, 0)
    .option("--json", "print the report as JSON")
    .option("--verbose", "list the rows that were left out")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/invert.ts")).runInvert(...given),
    );
}
