// `promptloss export`: a model or an adapter → a GGUF file, with a Modelfile for Ollama.
import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { counted } from "../../counted.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { replaceFile } from "../../files/atomic.ts";
import { checkOutputFile, protectInputs } from "../../files/output.ts";
import { type ModelPaths, resolveModelPaths } from "../../generation/text/model-folder.ts";
import { modelfileOf } from "../../generation/text/modelfile.ts";
import { type ExportType, exportAdapterGguf, exportGguf, ModelError } from "../../models/index.ts";
import { harmlessJson } from "../../terminal/index.ts";
import { printNotes } from "../notes.ts";
import { bytes } from "../train/format.ts";

interface Flags {
  output: string;
  type: ExportType;
  base?: string;
  modelfile?: string;
  template?: string;
  strict?: true;
  overwrite?: true;
  json?: true;
}

export async function runExport(named: string, flags: Flags): Promise<void> {
  const { output, type, base, modelfile, strict, overwrite, json } = flags;
  if (flags.template !== undefined && modelfile === undefined)
    throw new ModelError("--template is the Modelfile's, and none is asked for", {
      hint: "give --modelfile FILE too",
    });
  const paths = resolveModelPaths(named, { base });
  for (const file of [output, ...(modelfile === undefined ? [] : [modelfile])]) {
    checkOutputFile(file);
    protectInputs([file], inputsOf(paths));
    if (existsSync(file) && !overwrite)
      throw new ModelError(`${file}: is there already`, { hint: "name another file, or give --overwrite" });
  }
  const exported =
    paths.adapter === undefined
      ? await exportGguf(paths.model, output, { type, strict, tokenizer: paths.tokenizer })
      : exportAdapterGguf(paths.adapter, paths.model, output, {
          type: adapterType(paths.adapter, type),
          strict,
        });
  const notes = [...exported.notes];
  if (modelfile !== undefined) notes.push(...(await writeModelfile(modelfile, paths, flags)));
  printNotes(notes);
  const what = paths.adapter === undefined ? "" : `an adapter of ${paths.model}, `;
  process.stdout.write(
    json
      ? `${harmlessJson({ output, ...exported, notes, ...(modelfile !== undefined && { modelfile }) }, 2)}\n`
      : `${output}: ${what}${exported.architecture}, ${counted(exported.tensors, "tensor")}, ${exported.type}, ${bytes(exported.bytes)}\n`,
  );
}

function inputsOf({ model, adapter }: ModelPaths) {
  return [
    { what: "the model", path: model },
    ...(adapter === undefined ? [] : [{ what: "the adapter", path: adapter }]),
  ];
}

function adapterType(adapter: string, type: ExportType): "f32" | "f16" | "bf16" {
  if (type === "f32" || type === "f16" || type === "bf16") return type;
  throw new ModelError(`${adapter}: an adapter is written as f32, f16 or bf16, not ${type}`, {
    hint: "for one file in few bits: promptloss merge first, then export the merged model",
  });
}

async function writeModelfile(
  path: string,
  paths: ModelPaths,
  { output, template }: Flags,
): Promise<readonly string[]> {
  const tokenizer = await loadTokenizer(paths.tokenizer);
  const own = tokenizer.chatTemplate === undefined ? "alpaca" : "tokenizer";
  const spec = template ?? paths.template ?? own;
  const from = (file: string): string => {
    const near = relative(dirname(resolve(path)), resolve(file));
    return near.startsWith("..") ? resolve(file) : `./${near}`;
  };
  const isAdapter = paths.adapter !== undefined;
  const { text, notes } = modelfileOf(
    from(isAdapter ? paths.model : output),
    createTemplate(spec, tokenizer),
    tokenizer,
    {
      adapter: isAdapter ? from(output) : undefined,
    },
  );
  replaceFile(path, text);
  return notes;
}
