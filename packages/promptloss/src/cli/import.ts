import { type Command, Option } from "commander";

type Action = typeof import("./actions/import.ts").runImport;

export function importCommand(command: Command): Command {
  return command
    .argument("<file>", "a GGUF file")
    .requiredOption("-o, --output <folder>", "of the model")
    .addOption(
      new Option(
        "--dtype <name>",
        "of the weights; the file's own for floats, bfloat16 for fewer bits when left out",
      ).choices(["float32", "bfloat16", "float16"]),
    )
    .option("--overwrite", "replace a folder that is there")
    .option("--json", "print what was written as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/import.ts")).runImport(...given),
    );
}
