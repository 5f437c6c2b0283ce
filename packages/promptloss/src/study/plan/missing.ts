// What a study needs and is not there: models, tokenizers, data, files of tasks and judges. All of it at once, so that one
// need not start a study to find out. What is on the hub and patterns are not looked for here.
import { existsSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { isConfigFile } from "../../config-file/index.ts";
import { hubModelName } from "../../hub/index.ts";
import { isPlain } from "../../recipe/index.ts";
import type { Study } from "./read-study.ts";

/** One line each: what, and what it is for. */
export function missingFiles({ cells, tasks }: Pick<Study, "cells" | "tasks">): string[] {
  const missing = new Set<string>();
  const look = (what: string, path: unknown, mayBeHubs: boolean): void => {
    if (typeof path !== "string" || existsSync(path) || (mayBeHubs && isElsewhere(path))) return;
    missing.add(`missing: ${what} ${path}`);
  };
  for (const { recipe } of cells) {
    if (!isOnHub(recipe.model)) look("model", recipe.model, false);
    if (!isOnHub(recipe.tokenizer)) look("tokenizer", recipe.tokenizer, false);
    const { reference } = recipe.loss.reweightingOptions ?? {};
    if (!isOnHub(reference)) look("reference model", reference, false);
    for (const { path } of recipe.data) look("data", path, true);
    for (const { path } of recipe.evaluation?.data ?? []) look("evaluation data", path, true);
    const { text = [], tasks = [], data } = recipe.probes.forgetting ?? {};
    for (const { path } of text) look("text of probes.forgetting", path, true);
    for (const task of tasks) if (isConfigFile(task)) look("task", task, false);
    look("data of probes.forgetting", data, false);
  }
  for (const { task, evaluator, options } of tasks)
    for (const key of evaluator.paths ?? [])
      look(`${key} of the task ${task},`, valueAt(options, key), key !== "data");
  return [...missing];
}

/** A name of the hub, unless its first half is a folder here: then it is more likely a path. */
function isOnHub(path: string | undefined): boolean {
  return path !== undefined && hubModelName(path) !== undefined && !existsSync(dirname(path));
}

/** Patterns, and names as the hub has them. */
function isElsewhere(path: string): boolean {
  if (/[*?[\]{}]/.test(path) || /^[a-z]+:\/\//.test(path)) return true;
  return (
    !isAbsolute(path) &&
    /^[\w][\w.-]*\/[\w][\w.-]*$/.test(path) &&
    !/\.(jsonl?|csv|tsv|txt|parquet|gz)$/i.test(path)
  );
}

function valueAt(options: Readonly<Record<string, unknown>>, key: string): unknown {
  return key
    .split(".")
    .reduce<unknown>((holder, each) => (isPlain(holder) ? holder[each] : undefined), options);
}
