// `promptloss merge`: a LoRA adapter and its base model → one plain model folder.
import type { DType } from "@promptloss/torch";
import { Command, Option } from "commander";
import { resolveModelPaths } from "../generation/text/model-folder.ts";
import { ModelError, mergeAdapterFolder } from "../models/index.ts";
import { harmlessJson, ink } from "../terminal/index.ts";

interface Flags {
  output: string;
  base?: string;
  dtype?: DType;
  device?: string;
  overwrite?: true;
  json?: true;
}

export function mergeCommand(): Command {
  return new Command("merge")
    .description("merge a LoRA adapter into its base model: a plain Hugging Face folder")
    .argument("<adapter>", "a PEFT adapter's folder, or the folder of a training run with lora")
    .requiredOption("-o, --output <folder>", "of the merged model")
    .option("--base <folder>", "the base model; the one that the adapter names when left out")
    .addOption(
      new Option("--dtype <name>", "of the merged weights; the base model's when left out").choices([
        "float32",
        "bfloat16",
        "float16",
      ]),
    )
    .option("--device <name>", "where to compute, such as cuda (cpu)")
    .option("--overwrite", "replace a folder that is there")
    .option("--json", "print what was written as JSON")
    .action((path: string, { base, json, ...rest }: Flags) => {
      const { adapter, model } = resolveModelPaths(path, { base });
      if (adapter === undefined)
        throw new ModelError(`${path}: is a whole model, with no adapter to merge`, {
          hint: "it can be used as it is",
        });
      const { notes, ...merged } = mergeAdapterFolder({ adapter, base: model, ...rest });
      for (const note of notes) process.stderr.write(`${ink.yellow("!")} ${note}\n`);
      const { output, modules, dtype } = merged;
      process.stdout.write(
        json
          ? `${harmlessJson({ ...merged, notes }, 2)}\n`
          : `${output}: ${model} with ${modules} modules of ${adapter} merged, ${dtype}\n`,
      );
    });
}
