// Options that commands over data share: which rows, how they are read, and how tokens are weighed.
import { type Command, InvalidArgumentError, Option } from "commander";
import type { TokenClass } from "../data/example.ts";
import { EMPTY_COMPLETIONS, type EmptyCompletions } from "../data/rows/empty-completions.ts";
import { FORMAT_NAMES, type FormatName } from "../data/rows/formats/row-format.ts";
import { OVERFLOW_POLICIES, type OverflowPolicy } from "../data/tokens/overflow.ts";
import { classWeight, setOption, weightNumber, wholeNumber } from "./options.ts";

export interface DataFlags {
  set?: string[];
  emptyCompletions?: EmptyCompletions;
  format?: FormatName;
  columns?: Readonly<Record<string, string>>;
}

/** What commands over a recipe or data take. */
export const RECIPE_OR_DATA = {
  one: ["<recipe | data>", "a recipe (.yaml), or a file, pattern, dataset folder or hub id"],
  several: ["<recipe | data...>", "a recipe (.yaml), or files, patterns, dataset folders or hub ids"],
} as const;

export interface RenderingFlags extends DataFlags {
  tokenizer?: string;
  template?: string;
}

/** Adds --tokenizer and --template to the options over data: what rows are rendered with. */
export function withRenderingOptions(command: Command, template = "the recipe's, or alpaca"): Command {
  return withRowOptions(
    command
      .option("--tokenizer <folder>", "a Hugging Face model or tokenizer folder (default: the recipe's)")
      .option("--template <name>", `the template around the rows (default: ${template})`),
  );
}

export interface WeightFlags {
  plw?: number;
  completionWeight?: number;
  classWeight: Partial<Record<TokenClass, number>>;
  allowAnyWeight?: true;
}

/** Adds the weights that tokens get. */
export function withWeightOptions(command: Command, plw: string): Command {
  return command
    .option("--plw <weight>", plw, weightNumber)
    .option("--completion-weight <weight>", "weight of completion tokens", weightNumber)
    .option(
      "--class-weight <class=weight>",
      "weight of one token class, as end=0.5; repeatable",
      classWeight,
      {},
    )
    .option("--allow-any-weight", "allow weights above 1, and completions of weight 0");
}

export interface LengthFlags {
  maxLength?: number;
  overflow?: OverflowPolicy;
}

/** Adds how long a row may be. */
export function withLengthOptions(command: Command): Command {
  return command
    .option("--max-length <tokens>", "the most tokens of a row", wholeNumber)
    .addOption(new Option("--overflow <policy>", "what to do with longer rows").choices(OVERFLOW_POLICIES));
}

/** Adds --set for a recipe, --format and --columns for data. */
export function withDataOptions(command: Command): Command {
  return command
    .addOption(setOption())
    .addOption(
      new Option("--format <name>", "the format of the rows (default: detected)").choices(FORMAT_NAMES),
    )
    .option(
      "--columns <field=column,...>",
      "names of columns in the file, as instruction=question,output=answer",
      columnPairs,
    );
}

/** Adds --empty-completions to the other options over data. */
export function withRowOptions(command: Command): Command {
  return withDataOptions(command).addOption(
    new Option(
      "--empty-completions <way>",
      "rows with an empty completion: leave them out and count them, refuse them, or keep them (default: skip)",
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
