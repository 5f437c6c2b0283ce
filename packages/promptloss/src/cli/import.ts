import type { Command } from "commander";
import { dtypeOption } from "./options.ts";

type Action = typeof import("./actions/import.ts").runImport;

export function importCommand(command: Command): Command {
  return command
    .argument("<file>", "a GGUF file, or the name of one on the hub, owner/name/FILE.gguf")
    .requiredOption("-o, --output <folder>", "of the model")
    .addOption(
      dtypeOption("of the weights; the file's own for floats, bfloat16 for fewer bits when left out"),
    )
    .option("--overwrite", "replace a folder that is there")
    .option("--json", "print what was written as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/import.ts")).runImport(...given),
    );
}
