// `promptloss import`: a GGUF file → a Hugging Face folder.
import { existsSync } from "node:fs";
import { checkOutputFolder, protectInputs } from "../../files/output.ts";
import { type ImportedDType, importGguf, ModelError } from "../../models/index.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import { bytes, short } from "../train/format.ts";

interface Flags {
  output: string;
  dtype?: ImportedDType;
  overwrite?: true;
  json?: true;
}

export async function runImport(file: string, { output, dtype, overwrite, json }: Flags): Promise<void> {
  checkOutputFolder(output);
  protectInputs([output], [{ what: "the GGUF file", path: file }]);
  if (existsSync(output) && !overwrite)
    throw new ModelError(`${output}: is there already`, {
      hint: "name another folder, or give --overwrite to replace it",
    });
  const imported = importGguf(file, output, { dtype });
  for (const note of imported.notes) process.stderr.write(`${ink.yellow("!")} ${note}\n`);
  const { architecture, parameters, dtype: written } = imported;
  process.stdout.write(
    json
      ? `${harmlessJson({ output, file, ...imported }, 2)}\n`
      : `${output}: ${architecture}, ${short(parameters)} parameters, ${written}, ${bytes(imported.bytes)}\n`,
  );
}
