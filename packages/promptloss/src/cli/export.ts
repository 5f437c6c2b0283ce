import { type Command, Option } from "commander";
import { EXPORT_TYPES } from "../models/gguf/export/types.ts";
import { strictOption } from "./options.ts";

type Action = typeof import("./actions/export.ts").runExport;

export function exportCommand(command: Command): Command {
  return command
    .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
    .requiredOption("-o, --output <file>", "the GGUF file")
    .addOption(
      new Option("--type <name>", "type of the matrices; of an adapter f32, f16 or bf16")
        .choices(EXPORT_TYPES)
        .default("f16"),
    )
    .option("--base <folder>", "the base model of an adapter (default: the one that the adapter names)")
    .option("--modelfile <file>", "write a Modelfile for Ollama too")
    .option("--template <name>", "of the Modelfile (default: the run's, or the model's own chat template)")
    .addOption(strictOption())
    .option("--overwrite", "replace files that are there")
    .option("--json", "print what was written as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/export.ts")).runExport(...given),
    );
}
