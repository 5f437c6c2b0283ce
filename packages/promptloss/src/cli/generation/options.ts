// The options that commands which generate share: the model and how it decodes. Names of the library's options in
// errors become those of the command line.
import { type DType, setNumThreads } from "@promptloss/torch";
import { type Command, Option } from "commander";
import { NAMED_TEMPLATES } from "../../data/templates/index.ts";
import { PromptlossError } from "../../errors.ts";
import { GenerationError, type TextGenerationOptions, TextGenerator } from "../../generation/index.ts";
import { ink } from "../../terminal/index.ts";
import { anyNumber, collect, flagOf, positiveCount, weightNumber, wholeNumber } from "../options.ts";

export interface ModelFlags {
  template?: string;
  adapter?: string;
  dtype?: DType;
  device?: string;
  threads?: number;
}

export interface DecodingFlags {
  maxNewTokens?: number;
  minNewTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  repetitionPenalty?: number;
  seed?: number;
  stop?: string[];
}

const TEMPLATES = [...Object.keys(NAMED_TEMPLATES), "tokenizer"].join(", ");

export function addModelOptions(command: Command): Command {
  return command
    .option(
      "--template <name>",
      `what training wrapped prompts in: ${TEMPLATES}, or a string with {instruction} and {output}; ` +
        "found out when left out: the run's, the model's chat template, plain",
    )
    .option("--adapter <folder>", "a LoRA adapter for the model")
    .addOption(
      new Option("--dtype <name>", "of the weights; the file's when left out").choices([
        "float32",
        "bfloat16",
        "float16",
      ]),
    )
    .option("--device <name>", "cpu, cuda, cuda:1, mps (cpu)")
    .option("--threads <count>", "of the processor; all when left out", positiveCount);
}

export function addDecodingOptions(command: Command): Command {
  return command
    .option("--max-new-tokens <count>", "new tokens at most", positiveCount)
    .option("--min-new-tokens <count>", "new tokens before a stop token may come", wholeNumber)
    .option("--temperature <number>", "0 takes the likeliest token, above 0 tokens are drawn", weightNumber)
    .option("--top-k <count>", "draw from the k likeliest tokens", wholeNumber)
    .option("--top-p <share>", "draw from the likeliest tokens that reach this probability", weightNumber)
    .option("--repetition-penalty <number>", "makes tokens that came before less likely", weightNumber)
    .option("--seed <number>", "of the draws: the same seed, the same text", anyNumber)
    .option("--stop <text>", "end before this text; again for more", collect);
}

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
  const { template, adapter, dtype, device, threads } = flags;
  if (threads !== undefined) setNumThreads(threads);
  const generator = await TextGenerator.load(path, {
    ...(template !== undefined && { template }),
    ...(adapter !== undefined && { adapter }),
    ...(dtype !== undefined && { dtype }),
    ...(device !== undefined && { device }),
  });
  for (const note of generator.notes) process.stderr.write(`${ink.yellow("!")} ${note}\n`);
  return generator;
}
