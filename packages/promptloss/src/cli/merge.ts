import type { Command } from "commander";
import { dtypeOption, strictOption } from "./options.ts";

type Action = typeof import("./actions/merge.ts").runMerge;

export function mergeCommand(command: Command): Command {
  return command
    .argument("<adapter>", "a PEFT adapter's folder, or the folder of a training run with lora")
    .requiredOption("-o, --output <folder>", "of the merged model")
    .option("--base <folder>", "the base model; the one that the adapter names when left out")
    .addOption(dtypeOption("of the merged weights; the base model's when left out"))
    .option("--device <name>", "where to compute, such as cuda (cpu)")
    .addOption(strictOption())
    .option("--overwrite", "replace a folder that is there")
    .option("--json", "print what was written as JSON")
    .action(async (...given: Parameters<Action>) => (await import("./actions/merge.ts")).runMerge(...given));
}
