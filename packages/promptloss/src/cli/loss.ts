// `promptloss loss`: what a model makes of some data, without training. One line of JSON a row, then the totals.
import { type Command, InvalidArgumentError, Option } from "commander";
import { PRODUCT_DTYPES } from "../dtypes.ts";
import { NORMALIZATIONS } from "../loss/normalization.ts";
import { REWEIGHTING_NAMES } from "../loss/reweighting-rules.ts";
import {
  RECIPE_OR_DATA,
  withLengthOptions,
  withRenderingOptions,
  withWeightOptions,
} from "./data-options.ts";
import { anyNumber, strictOption, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/loss.ts").runLoss;

export function lossCommand(command: Command): Command {
  const rendered = withRenderingOptions(
    command
      .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
      .argument(...RECIPE_OR_DATA.one)
      .option("--adapter <folder>", "a PEFT adapter for the model")
      .addOption(strictOption()),
    "the recipe's, the run's, or alpaca",
  );
  return withLengthOptions(
    withWeightOptions(rendered, "prompt loss weight of the totals (default: the recipe's, or 1)"),
  )
    .addOption(
      new Option("--normalization <name>", "what the weighted sum is divided by").choices(NORMALIZATIONS),
    )
    .option("--limit <rows>", "the first rows of each source only", wholeNumber)
    .addOption(
      new Option("--precision <name>", "precision of matrix products")
        .choices(PRODUCT_DTYPES)
        .default("float32"),
    )
    .option("--micro-batch-tokens <tokens>", "the most tokens computed at one time", wholeNumber, 4096)
    .option(
      "--label-smoothing <share>",
      "label smoothing of the totals' loss (default: the recipe's, or 0)",
      share,
    )
    .addOption(
      new Option(
        "--reweighting <name>",
        "reweighting of the totals' loss (default: the recipe's, or none)",
      ).choices(REWEIGHTING_NAMES),
    )
    .option(
      "--tokens",
      "add every token of a row: id, text, class, weight, loss, whether the model ranks it first",
    )
    .option("--json", "print errors as JSON too; results are JSON lines in any case")
    .option("--gradients", "add the norm of the loss's gradient, in all and by parameter")
    .action(async (...given: Parameters<Action>) => (await import("./actions/loss.ts")).runLoss(...given));
}

function share(text: string): number {
  const value = anyNumber(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError("It should be between 0 and 1.");
  return value;
}
