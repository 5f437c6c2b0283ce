// `promptloss recommend`: the prompt loss weight of lowest expected regret, from a study's runs where one is given, on a
// prior from what is verified of the paper. What `auto` in a recipe means.
import { type Command, InvalidArgumentError, Option } from "commander";
import { NORMALIZATIONS } from "../loss/normalization.ts";
import { taskGroups } from "../statistics/choice/task-groups.ts";
import { withRowOptions } from "./data-options.ts";
import { anyNumber } from "./options.ts";

type Action = typeof import("./actions/recommend.ts").runRecommend;

export function tolerance(text: string): number {
  const value = anyNumber(text);
  if (value < 0) throw new InvalidArgumentError("It should be a number of 0 or more.");
  return value;
}

/** "0,0.1,1" */
export function weightList(text: string): number[] {
  const weights = text.split(",").map(Number);
  if (text.trim() === "" || !weights.every((plw) => plw >= 0 && plw <= 1))
    throw new InvalidArgumentError("It should be weights from 0 to 1, as 0,0.1,1.");
  return weights;
}

export function recommendCommand(command: Command): Command {
  return withRowOptions(
    command
      .argument("[data...]", "a recipe (.yaml), or files, patterns, dataset folders or hub ids")
      .option(
        "--rg <ratio>",
        "the generation ratio (completion tokens / prompt tokens), in place of data",
        anyNumber,
      )
      .option("--tokenizer <folder>", "a Hugging Face model or tokenizer folder, for data"),
  )
    .addOption(new Option("--task-group <name>", "what the model is for").choices(taskGroups))
    .option("--study <folder>", "the output folder of a study, to use its runs")
    .option("--objective <task>", 'what to judge runs by: a task, or "task metric"')
    .addOption(
      new Option("--normalization <name>", "normalization of the loss (default: the recipe's)").choices(
        NORMALIZATIONS,
      ),
    )
    .option("--parameters <number>", "number of the model's parameters, as 1.1e9", anyNumber)
    .option("--tolerance <amount>", "how much worse a weight may be and still count as alike", tolerance)
    .option("--weights <plw,...>", "the weights to choose among", weightList)
    .option("--json", "print the choice as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/recommend.ts")).runRecommend(...given),
    );
}
