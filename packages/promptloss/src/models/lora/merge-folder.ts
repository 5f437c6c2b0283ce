// An adapter's folder and its base model's → one plain Hugging Face folder, which needs neither PEFT nor promptloss.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DType } from "@promptloss/torch";
import { checkOutputFolder, protectInputs } from "../../files/output.ts";
import { readModelConfig } from "../config/read-config.ts";
import { ModelError } from "../errors.ts";
import { loadModel } from "../folder/load-model.ts";
import { saveModel } from "../folder/save-model.ts";
import { adapterBaseIdentity, adapterStorage, baseIdentity, loadAdapter, mergeAdapter } from "./peft.ts";

export interface MergeFolders {
  readonly adapter: string;
  readonly base: string;
  readonly output: string;
  /** Of the merged weights; the base model's where left out. */
  readonly dtype?: DType | undefined;
  /** "cpu" where left out. */
  readonly device?: string | undefined;
  /** Refuse a base whose config has keys that are not known here, rather than note them. */
  readonly strict?: boolean | undefined;
  /** Replace a folder that is there. */
  readonly overwrite?: boolean | undefined;
}

export interface MergedFolder {
  readonly output: string;
  readonly base: string;
  readonly adapter: string;
  readonly dtype: DType;
  /** Modules whose weights the adapter changed. */
  readonly modules: number;
  readonly notes: readonly string[];
}

/**
 * Merges an adapter into its base model. The adapter's tokenizer, chat template and generation config go along, the base
 * model's where it has none.
 * @throws {ModelError} for an adapter of another model, and its kin for folders that can't be read
 * @throws {OutputError} for an output that can't be written, is there already, or is an input
 */
export function mergeAdapterFolder(folders: MergeFolders): MergedFolder {
  const {
    adapter: adapterFolder,
    base,
    output,
    dtype,
    device = "cpu",
    overwrite = false,
    strict = false,
  } = folders;
  checkOutputFolder(output);
  protectInputs(
    [output],
    [
      { what: "the adapter", path: adapterFolder },
      { what: "the base model", path: base },
    ],
  );
  if (existsSync(output) && !overwrite)
    throw new ModelError(`${output}: is there already`, {
      hint: "name another folder, or give --overwrite to replace it",
    });
  const { architecture } = readModelConfig(base, { strict });
  const adapter = loadAdapter(adapterFolder, architecture, { device });
  const notes = checkBase(adapterFolder, base);
  const storage = adapterStorage(adapterFolder);
  // What a GGUF file's blocks expand to is what they are.
  if (storage !== undefined && storage !== "as-stored")
    notes.push(
      `${adapterFolder}: was trained on ${base} in ${storage}, and is merged into its weights as they are stored`,
    );
  // Merged weights are rounded once: the base model's own dtype is kept, another one is come to from float32.
  const model = loadModel(base, { device, ...(dtype !== undefined && { dtype: "float32" }) });
  try {
    const saved = dtype ?? model.head.dtype;
    const modules = adapter.modules.size;
    model.adapter = adapter;
    mergeAdapter(model);
    const has = (name: string): boolean => existsSync(join(adapterFolder, name));
    saveModel(model, output, {
      dtype: saved,
      companions: {
        model: has("generation_config.json") ? adapterFolder : base,
        tokenizer: has("tokenizer.json") ? adapterFolder : base,
      },
    });
    return { output, base, adapter: adapterFolder, dtype: saved, modules, notes: [...notes, ...model.notes] };
  } finally {
    model.free();
  }
}

/** Notes where nothing says which model it was. @throws {ModelError} */
export function checkBase(adapter: string, base: string): string[] {
  const trainedOn = adapterBaseIdentity(adapter);
  if (trainedOn === undefined)
    return [
      `${adapter}: does not say which weights it was trained on; its shapes fit ${base}, and nothing else is known`,
    ];
  if (trainedOn === baseIdentity(base)) return [];
  throw new ModelError(`${adapter}: was trained on another model than ${base}: config or weights differ`, {
    hint: "give the folder that it was trained on with --base",
  });
}
