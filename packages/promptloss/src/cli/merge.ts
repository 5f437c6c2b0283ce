import type { Command } from "commander";
import { dtypeOption, strictOption } from "./options.ts";

type Action = typeof import("./actions/merge.ts").runMerge;

export function mergeCommand(command: Command): Command {
  return command
    .argument("<adapter>", "a PEFT adapter's folder, or the folder of a training run with an adapter")
    .requiredOption("-o, --output <folder>", "the folder for the merged model")
    .option("--base <folder>", "the base model (default: the one that the adapter names)")
    .addOption(dtypeOption("dtype of the merged weights (default: the base model's)"))
    .option("--device <name>", "where to compute, such as cuda (default: cpu)")
    .addOption(strictOption())
    .option("--overwrite", "replace an existing folder")
    .option("--json", "print what was written as JSON")
    .action(async (...given: Parameters<Action>) => (await import("./actions/merge.ts")).runMerge(...given));
}
