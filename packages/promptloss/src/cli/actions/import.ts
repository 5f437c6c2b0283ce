// `promptloss import`: a GGUF file → a Hugging Face folder.
import { existsSync } from "node:fs";
import type { WeightDtype } from "../../dtypes.ts";
import { checkOutputFolder, protectInputs } from "../../files/output.ts";
import { importGguf, ModelError, modelPlace } from "../../models/index.ts";
import { harmlessJson } from "../../terminal/index.ts";
import { printNotes } from "../notes.ts";
import { bytes, short } from "../train/format.ts";

interface Flags {
  output: string;
  dtype?: WeightDtype;
  overwrite?: true;
  json?: true;
}

export async function runImport(named: string, { output, dtype, overwrite, json }: Flags): Promise<void> {
  checkOutputFolder(output);
  protectInputs([output], [{ what: "the GGUF file", path: named }]);
  if (existsSync(output) && !overwrite)
    throw new ModelError(`${output}: is there already`, {
      hint: "name another folder, or give --overwrite to replace it",
    });
  const file = modelPlace(named);
  const imported = importGguf(file, output, { dtype });
  printNotes(imported.notes);
  const { architecture, parameters, dtype: written } = imported;
  process.stdout.write(
    json
      ? `${harmlessJson({ output, file: named, ...imported }, 2)}\n`
      : `${output}: ${architecture}, ${short(parameters)} parameters, ${written}, ${bytes(imported.bytes)}\n`,
  );
}
