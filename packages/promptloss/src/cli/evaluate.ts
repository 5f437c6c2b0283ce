// `promptloss evaluate`: tasks on a model, with a table at the end and records on disk.
import { type Command, InvalidArgumentError, Option } from "commander";
import { builtinTasks } from "../evaluation/tasks/builtin-tasks.ts";
import { EXAMPLE_ORDERS } from "../evaluation/tasks/example-orders.ts";
import { dtypeOption, positiveCount, storageOption, strictOption, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/evaluate.ts").runEvaluate;

function taskNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => name === ""))
    throw new InvalidArgumentError("It should be names with commas between them.");
  return names;
}

export function evaluateCommand(command: Command): Command {
  return command
    .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
    .requiredOption(
      "--tasks <names>",
      `tasks or task files (.yaml), separated by commas: ${builtinTasks().join(", ")}`,
      taskNames,
    )
    .option(
      "--task-data <folder>",
      "the folder with the tasks' files (default: their datasets on the Hugging Face hub)",
    )
    .option("--adapter <folder>", "a PEFT adapter for the model")
    .addOption(dtypeOption("dtype of the weights").default("float32"))
    .addOption(storageOption("as an adapter was trained on them, else in --dtype"))
    .option("--device <name>", "where to compute, such as cuda")
    .addOption(strictOption())
    .option("--limit <count>", "only the first items of each task", positiveCount)
    .option("--shots <count>", "few-shot examples before each item (default: the task's number)", wholeNumber)
    .option("--shot-seed <number>", "seed of the draws of examples (default: 1234)", wholeNumber)
    .addOption(
      new Option(
        "--examples <which>",
        "which examples: drawn for each item, or the first of their split",
      ).choices(EXAMPLE_ORDERS),
    )
    .option(
      "--max-length <count>",
      "the most tokens to read of an item (default: what the model reads)",
      positiveCount,
    )
    .option(
      "--max-new-tokens <count>",
      "the most tokens of a completion (default: the task's)",
      positiveCount,
    )
    .option(
      "--batch-tokens <count>",
      "about how many tokens to read at a time (default: 4096)",
      positiveCount,
    )
    .option(
      "-o, --output <folder>",
      "the folder for scores.jsonl and records/; an interrupted evaluation resumes there",
    )
    .option("--overwrite", "start again if the folder has records of other settings")
    .option("--write-out [count]", "print the prompts of each task's first items (default: 1)", positiveCount)
    .option("--json", "print scores and failures as JSON, and prompts with --write-out")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/evaluate.ts")).runEvaluate(...given),
    );
}
