// Values of options, checked where they are given.
import { InvalidArgumentError, Option } from "commander";
import { TOKEN_CLASSES, type TokenClass } from "../data/example.ts";
import type { TrainedTurns } from "../data/templates/index.ts";
import { WEIGHT_DTYPES } from "../dtypes.ts";
import { STORAGES } from "../models/config/storage.ts";

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("It should be a whole number.");
  return value;
}

/** A whole number of 1 or more. */
export function positiveCount(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError("It should be a whole number of 1 or more.");
  return value;
}

export function anyNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It should be a number.");
  return value;
}

/** For options that can be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** A weight of the loss: finite, 0 or more. */
export function weightNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("It should be a number of 0 or more.");
  return value;
}

/** "1,5-7" → {1, 5, 6, 7}. */
export function numberSet(text: string): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || first < 1 || last < first || last - first > 10_000)
      throw new InvalidArgumentError("It should be numbers from 1 and ranges, such as 1,5-7.");
    for (let each = first; each <= last; each++) numbers.add(each);
  }
  return numbers;
}

/** "input=0.5" → a weight for the class, beside those given before. */
export function classWeight(
  text: string,
  before: Partial<Record<TokenClass, number>>,
): Partial<Record<TokenClass, number>> {
  const [name, weight] = text.split("=");
  const known = TOKEN_CLASSES.find((each) => each === name);
  if (known === undefined || weight === undefined)
    throw new InvalidArgumentError(
      `It should be a class and its weight, as input=0.5. Classes: ${TOKEN_CLASSES.join(", ")}.`,
    );
  return { ...before, [known]: weightNumber(weight) };
}

/** "all", "last", or "1,-1". */
export function turnPolicy(text: string): TrainedTurns {
  if (text === "all" || text === "last") return text;
  const numbers = text.split(",").map(Number);
  if (text.trim() === "" || numbers.some((number) => !Number.isInteger(number) || number === 0))
    throw new InvalidArgumentError("It should be all, last, or numbers from 1, where -1 is the last.");
  return numbers;
}

/** "emptyCompletions" → "--empty-completions": an option as it is given. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** --set: a key of the recipe, for every command that reads one. */
export function setOption(): Option {
  return new Option("--set <key=value>", "override a recipe key, as training.epochs=1; repeatable").argParser(
    collect,
  );
}

/** --dtype: of the weights that a command loads or writes. */
export function dtypeOption(description: string): Option {
  return new Option("--dtype <name>", description).choices(WEIGHT_DTYPES);
}

/** --storage: how a command keeps the linear weights of the model that it loads. */
export function storageOption(otherwise: string): Option {
  return new Option(
    "--storage <kind>",
    `how linear weights are kept: in 4 bits, in 8, or in a GGUF file's own blocks (default: ${otherwise})`,
  ).choices(STORAGES);
}

/** --strict, for every command that loads a model's folder. */
export function strictOption(): Option {
  return new Option("--strict", "refuse a model whose config has unknown keys (default: note them)");
}

/** The keys that --set and --strict give: --strict is a recipe's key as well. */
export function keysGiven({ set = [], strict }: { set?: readonly string[]; strict?: true }): string[] {
  return strict ? [...set, "strict=true"] : [...set];
}
