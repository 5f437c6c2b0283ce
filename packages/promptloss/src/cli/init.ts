import type { Command } from "commander";
import { strictOption } from "./options.ts";

type Action = typeof import("./actions/init.ts").runInit;

export function initCommand(command: Command): Command {
  return command
    .option("--data <path>", "rows to train on: a file, pattern, dataset folder or hub id")
    .option("--model <folder>", "a Hugging Face model folder")
    .addOption(strictOption())
    .option("--aim <text>", "what the model is for; the recipe's first line says it")
    .option("-o, --output <file>", "the recipe to write (recipe.yaml)")
    .option("--json", "print what was written as JSON")
    .option("--force", "overwrite an existing file")
    .action(async (...given: Parameters<Action>) => (await import("./actions/init.ts")).runInit(...given));
}
