// `promptloss evaluate`: tasks on a model, with a table at the end and records on disk.
import { type Command, InvalidArgumentError, Option } from "commander";
import { builtinTasks } from "../evaluation/tasks/builtin-tasks.ts";
import { EXAMPLE_ORDERS } from "../evaluation/tasks/example-orders.ts";
import { dtypeOption, positiveCount, strictOption, wholeNumber } from "./options.ts";

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
      `tasks or task files (.yaml), with commas: ${builtinTasks().join(", ")}`,
      taskNames,
    )
    .option(
      "--task-data <folder>",
      "the folder that the tasks' files are under; their datasets on the Hugging Face hub where left out",
    )
    .option("--adapter <folder>", "a PEFT adapter over the model")
    .addOption(dtypeOption("of the weights").default("float32"))
    .option("--device <name>", "where to compute, such as cuda")
    .addOption(strictOption())
    .option("--limit <count>", "the first so many items of each task", positiveCount)
    .option("--shots <count>", "examples before each item, in place of the tasks' own number", wholeNumber)
    .option("--shot-seed <number>", "of the examples' draws (1234)", wholeNumber)
    .addOption(
      new Option("--examples <which>", "drawn for each item, or the first of their split").choices(
        EXAMPLE_ORDERS,
      ),
    )
    .option("--max-length <count>", "tokens read of an item at most; what the model reads", positiveCount)
    .option(
      "--max-new-tokens <count>",
      "tokens of a completion at most, in place of the tasks'",
      positiveCount,
    )
    .option("--batch-tokens <count>", "tokens read at once, about (4096)", positiveCount)
    .option(
      "-o, --output <folder>",
      "for scores.jsonl and records/; an evaluation that was cut short goes on there",
    )
    .option("--overwrite", "begin anew where the folder has records of other settings")
    .option("--write-out [count]", "print the prompts of each task's first items (1)", positiveCount)
    .option("--json", "print scores and failures as JSON, and prompts with --write-out")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/evaluate.ts")).runEvaluate(...given),
    );
}
