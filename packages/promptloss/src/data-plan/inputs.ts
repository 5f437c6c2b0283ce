// What a recipe reads, by name, so that no output overwrites it.
import { existsSync } from "node:fs";
import { type DataSource, resolveFiles } from "../data/rows/index.ts";
import type { Input } from "../files/output.ts";
import type { Recipe } from "../recipe/index.ts";

/** The files and folders of data sources on this machine; those of the hub lie in its cache. */
export async function dataInputs(sources: readonly DataSource[], what = "data"): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const source of sources) {
    const { path } = source;
    if (existsSync(path)) inputs.push({ what, path, grows: true });
    else if (/[*?[\]{}]/.test(path))
      // A pattern without files is an error of reading, which says more.
      for (const file of await resolveFiles(source, {}, () => {}).catch(() => []))
        inputs.push({ what, path: file.path });
  }
  return inputs;
}

/** @param file the recipe's own, where it has one */
export async function recipeInputs(recipe: Recipe, file: string | undefined): Promise<Input[]> {
  const { model, tokenizer, data, evaluation, loss, probes } = recipe;
  const { text = [], tasks = [], data: folder } = probes.forgetting ?? {};
  const reference = loss.reweightingOptions?.reference;
  return [
    ...(file === undefined ? [] : [{ what: "the recipe", path: file }]),
    ...(model === undefined ? [] : [{ what: "the model", path: model, grows: true }]),
    ...(tokenizer === undefined ? [] : [{ what: "the tokenizer", path: tokenizer, grows: true }]),
    ...(reference === undefined ? [] : [{ what: "the reference model", path: reference, grows: true }]),
    ...(await dataInputs(data as readonly DataSource[])),
    ...(await dataInputs((evaluation?.data ?? []) as readonly DataSource[], "evaluation.data")),
    ...(await dataInputs(text as readonly DataSource[], "probes.forgetting.text")),
    ...tasks.flatMap((path) => (existsSync(path) ? [{ what: "a task", path }] : [])),
    ...(folder === undefined ? [] : [{ what: "the tasks' data", path: folder }]),
  ];
}
