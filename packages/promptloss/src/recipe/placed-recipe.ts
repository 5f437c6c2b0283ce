// A recipe's paths, taken from where its file lies. Works on plain data, checked or not, so that a study can place the
// parts of a recipe that come from several files.
import { changedAt, isConfigFile, placedAt, placedPath } from "../config-file/index.ts";
import { isGguf, modelFolder } from "../models/gguf/model-folder.ts";

/** Where a recipe names models and tokenizers. */
const MODEL_KEYS = [["model"], ["tokenizer"], ["loss", "reweightingOptions", "reference"]] as const;

type Plain = Readonly<Record<string, unknown>>;

export function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Relative paths that exist in the folder led there, GGUF files in place of models led to the folders that they were
 * copied to, and every source written as an object. Models of the hub keep their names: whoever needs one fetches it.
 * @throws {GgufError} for a GGUF file that can't be used
 */
export function placedRecipe(recipe: unknown, folder: string): unknown {
  if (!isPlain(recipe)) return recipe;
  const { data, evaluation, probes } = recipe;
  const forgetting = isPlain(probes) ? probes.forgetting : undefined;
  return {
    ...MODEL_KEYS.reduce<Plain>((all, keys) => changedAt(placedAt(all, keys, folder), keys, opened), recipe),
    ...(data !== undefined && { data: placedSources(data, folder) }),
    ...(isPlain(evaluation) &&
      evaluation.data !== undefined && {
        evaluation: { ...evaluation, data: placedSources(evaluation.data, folder) },
      }),
    ...(isPlain(forgetting) && {
      probes: { ...(probes as Plain), forgetting: placedForgetting(forgetting, folder) },
    }),
  };
}

function placedForgetting(forgetting: Plain, folder: string): Plain {
  const { text, tasks } = forgetting;
  const isFile = (task: unknown): task is string => typeof task === "string" && isConfigFile(task);
  return {
    ...placedAt(forgetting, ["data"], folder),
    ...(text !== undefined && { text: placedSources(text, folder) }),
    ...(Array.isArray(tasks) && {
      tasks: tasks.map((task: unknown) => (isFile(task) ? placedPath(task, folder) : task)),
    }),
  };
}

function opened(path: string): string {
  return isGguf(path) ? modelFolder(path) : path;
}

function placedSources(value: unknown, folder: string): unknown {
  return [value].flat().map((each: unknown) => {
    if (typeof each === "string") return { path: placedPath(each, folder) };
    return isPlain(each) ? placedAt(each, ["path"], folder) : each;
  });
}
