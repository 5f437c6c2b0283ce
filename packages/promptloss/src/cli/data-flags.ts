// What commands over data have in common: a recipe, or files with the options that say what is in them.
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type DataSource,
  EMPTY_COMPLETIONS,
  type EmptyCompletions,
  FORMAT_NAMES,
  type FormatName,
  type ReadOptions,
} from "../data/rows/index.ts";
import { type DataPlan, dataPlanOf } from "../data-plan/index.ts";
import { PromptlossError } from "../errors.ts";
import { isRecipe, readRecipe } from "../recipe/index.ts";
import { setOption } from "./options.ts";

export interface DataFlags {
  set?: string[];
  emptyCompletions?: EmptyCompletions;
  format?: FormatName;
  columns?: Readonly<Record<string, string>>;
}

/** Adds --set for a recipe, --format and --columns for data. */
export function withDataOptions(command: Command): Command {
  return command
    .addOption(setOption())
    .addOption(
      new Option("--format <name>", "the rows' format; found out when left out").choices(FORMAT_NAMES),
    )
    .option(
      "--columns <field=column,...>",
      "where the file's columns have other names, as instruction=question,output=answer",
      columnPairs,
    );
}

/** Adds --empty-completions to the other options over data. */
export function withRowOptions(command: Command): Command {
  return withDataOptions(command).addOption(
    new Option(
      "--empty-completions <way>",
      "rows with an empty completion are left out and counted (skip), refused, or kept",
    ).choices(EMPTY_COMPLETIONS),
  );
}

function columnPairs(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const columns: Record<string, string> = { ...before };
  for (const pair of text.split(",")) {
    const [, field, column] = /^\s*([^=]+?)\s*=\s*(.+?)\s*$/.exec(pair) ?? [];
    if (field === undefined || column === undefined)
      throw new InvalidArgumentError(
        "It should be fields and columns, as instruction=question,output=answer.",
      );
    columns[field] = column;
  }
  return columns;
}

/** The sources that paths and options name. */
export function sourcesOf(paths: readonly string[], { format, columns }: DataFlags): DataSource[] {
  return paths.map((path) => ({ path, ...(format && { format }), ...(columns && { columns }) }));
}

/** How the options say that data is read. */
export function readFlags({ emptyCompletions }: DataFlags): Pick<ReadOptions, "emptyCompletions"> {
  return emptyCompletions === undefined ? {} : { emptyCompletions };
}

/**
 * The recipe's settings; undefined where the paths name data.
 * @throws PromptlossError for a recipe beside other data, or with options that it has keys for
 */
export function recipeSettings(
  paths: readonly string[],
  { set, format, columns, emptyCompletions }: DataFlags,
): DataPlan | undefined {
  const recipe = paths.find(isRecipe);
  if (recipe === undefined && set !== undefined)
    throw new PromptlossError("--set changes keys of a recipe, and there is none", {
      hint: "name a recipe (.yaml), or use the command's own options",
    });
  if (recipe === undefined) return undefined;
  const given = [format, columns, emptyCompletions].some((flag) => flag !== undefined);
  if (paths.length > 1 || given)
    throw new PromptlossError("a recipe names its data, their format and how they are read itself", {
      hint: "give the recipe alone",
    });
  return dataPlanOf(readRecipe(recipe, { set: set ?? [] }), recipe);
}

/** @throws PromptlossError where neither says which tokenizer */
export function tokenizerFolder(
  named: string | undefined,
  settings: DataPlan | undefined,
  paths: readonly string[],
): string {
  const folder = named ?? settings?.tokenizer;
  if (folder !== undefined) return folder;
  const data = paths.length === 1 ? `${paths[0]} is data` : "these are data";
  throw new PromptlossError(`${data}, so --tokenizer has to name a tokenizer`, {
    hint: "a Hugging Face model folder will do",
  });
}
