// What the options of commands which generate come to: a generator, and how it decodes.
import { setNumThreads } from "@promptloss/torch";
import { PromptlossError } from "../../errors.ts";
import { GenerationError, type TextGenerationOptions, TextGenerator } from "../../generation/index.ts";
import { printNotes } from "../notes.ts";
import { flagOf } from "../options.ts";
import type { DecodingFlags, ModelFlags } from "./options.ts";

/** The library's options of flags that have the same meaning under other names. */
export function decodingOptions(flags: DecodingFlags): TextGenerationOptions {
  const { maxNewTokens, minNewTokens, temperature, topK, topP, repetitionPenalty, seed, stop } = flags;
  const given = {
    maxNewTokens,
    minNewTokens,
    temperature,
    topK,
    topP,
    repetitionPenalty,
    seed,
    stop,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Names of the command line that are not the library's own, written with dashes. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  maxNewTokens: "--max-new-tokens",
  minNewTokens: "--min-new-tokens",
  logProbabilities: "--logprobs",
};

/** An error as the user of a command should read it. */
export function inFlagNames(error: unknown): unknown {
  if (!(error instanceof GenerationError) || !/^[a-z]+([A-Z][a-z]*)*$/.test(error.field)) return error;
  const renamed = (text: string): string =>
    text.replaceAll(/\b(maxNewTokens|minNewTokens|logProbabilities)\b/g, (name) => FLAG_NAMES[name]!);
  if (error.field === "prompts")
    return new PromptlossError(renamed(error.message.replace(/^prompts: /, "")), { hint: error.hint });
  const flag = FLAG_NAMES[error.field] ?? flagOf(error.field);
  const rest = error.message.slice(error.field.length);
  return new PromptlossError(`${flag}${renamed(rest)}`, { hint: error.hint });
}

export async function loadGenerator(path: string, flags: ModelFlags): Promise<TextGenerator> {
  const { template, adapter, dtype, storage, device, threads, strict } = flags;
  if (threads !== undefined) setNumThreads(threads);
  const generator = await TextGenerator.load(path, {
    ...(template !== undefined && { template }),
    ...(adapter !== undefined && { adapter }),
    ...(dtype !== undefined && { dtype }),
    ...(storage !== undefined && { storage }),
    ...(device !== undefined && { device }),
    ...(strict && { strict }),
  });
  printNotes(generator.notes);
  return generator;
}
