// The options that commands which generate share: the model and how it decodes. Names of the library's options in
// errors become those of the command line.
import type { Command } from "commander";
import { NAMED_TEMPLATES } from "../../data/templates/named.ts";
import type { WeightDtype } from "../../dtypes.ts";
import type { Storage } from "../../models/config/storage.ts";
import {
  anyNumber,
  collect,
  dtypeOption,
  positiveCount,
  storageOption,
  strictOption,
  weightNumber,
  wholeNumber,
} from "../options.ts";

export interface ModelFlags {
  template?: string;
  adapter?: string;
  dtype?: WeightDtype;
  storage?: Storage;
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
    .option("--adapter <folder>", "a PEFT adapter for the model")
    .addOption(dtypeOption("dtype of the weights (default: the file's)"))
    .addOption(storageOption("as an adapter was trained on them, else as the file has them"))
    .option("--device <name>", "cpu, cuda, cuda:1, mps (cpu)")
    .option("--threads <count>", "threads to use (default: all)", positiveCount)
    .addOption(strictOption());
}

export function addDecodingOptions(command: Command): Command {
  return command
    .option("--max-new-tokens <count>", "the most new tokens", positiveCount)
    .option("--min-new-tokens <count>", "the fewest new tokens before a stop token", wholeNumber)
    .option(
      "--temperature <number>",
      "0 takes the most likely token; above 0, tokens are sampled",
      weightNumber,
    )
    .option("--top-k <count>", "sample from the k most likely tokens", wholeNumber)
    .option(
      "--top-p <share>",
      "sample from the most likely tokens that together have this probability",
      weightNumber,
    )
    .option("--repetition-penalty <number>", "make tokens that have occurred less likely", weightNumber)
    .option("--seed <number>", "seed of the sampling", anyNumber)
    .option("--stop <text>", "stop before this text; repeatable", collect);
}
