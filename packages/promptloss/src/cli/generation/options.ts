// The options that commands which generate share: the model and how it decodes. Names of the library's options in
// errors become those of the command line.
import type { Command } from "commander";
import { NAMED_TEMPLATES } from "../../data/templates/named.ts";
import type { WeightDtype } from "../../dtypes.ts";
import {
  anyNumber,
  collect,
  dtypeOption,
  positiveCount,
  strictOption,
  weightNumber,
  wholeNumber,
} from "../options.ts";

export interface ModelFlags {
  template?: string;
  adapter?: string;
  dtype?: WeightDtype;
  device?: string;
  threads?: number;
  strict?: true;
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
    .addOption(dtypeOption("of the weights; the file's when left out"))
    .option("--device <name>", "cpu, cuda, cuda:1, mps (cpu)")
    .option("--threads <count>", "of the processor; all when left out", positiveCount)
    .addOption(strictOption());
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
