// `promptloss merge`: a LoRA adapter and its base model → one plain model folder.
import { existsSync } from "node:fs";
import { counted } from "../../counted.ts";
import type { WeightDtype } from "../../dtypes.ts";
import { resolveModelPaths } from "../../generation/text/model-folder.ts";
import { ModelError, mergeAdapterFolder } from "../../models/index.ts";
import { harmlessJson } from "../../terminal/index.ts";
import { printNotes } from "../notes.ts";

interface Flags {
  output: string;
  base?: string;
  dtype?: WeightDtype;
  device?: string;
  strict?: true;
  overwrite?: true;
  json?: true;
}

export async function runMerge(path: string, { base, json, ...rest }: Flags): Promise<void> {
  const { adapter, model } = resolveModelPaths(path, { base });
  if (adapter === undefined && !existsSync(path))
    throw new ModelError(`${path}: there is no such folder`, {
      hint: "name an adapter's folder, or that of a training run with an adapter",
    });
  if (adapter === undefined)
    throw new ModelError(`${path}: is a whole model, with no adapter to merge`, {
      hint: "it can be used as it is",
    });
  const { notes, ...merged } = mergeAdapterFolder({ adapter, base: model, ...rest });
  printNotes(notes);
  const { output, modules, dtype } = merged;
  process.stdout.write(
    json
      ? `${harmlessJson({ ...merged, notes }, 2)}\n`
      : `${output}: ${model} with ${counted(modules, "module")} of ${adapter} merged, ${dtype}\n`,
  );
}
