// `promptloss generate`: a model's completions to prompts.
import { type Command, InvalidArgumentError } from "commander";
import { addDecodingOptions, addModelOptions } from "./generation/options.ts";
import { anyNumber, collect, positiveCount, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/generate.ts").runGenerate;

export function earlyStopping(value: string): "never" {
  if (value !== "never") throw new InvalidArgumentError("It should stand alone, or be never.");
  return value;
}

export function generateCommand(command: Command): Command {
  command
    .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
    .argument("[prompts...]", "prompts, each an instruction to the template")
    .option(
      "--file <path>",
      "read prompts from a file: one per line, or JSON rows with instruction, prompt or messages; - is standard input",
      collect,
      [],
    )
    .option("--stdin", "take all of standard input as one prompt")
    .option("--system <text>", "a system message before the prompts");
  addModelOptions(command);
  addDecodingOptions(command)
    .option("--beams <count>", "beam search with this many beams", positiveCount)
    .option(
      "--length-penalty <number>",
      "with --beams: above 0 favors long completions, below 0 short ones",
      anyNumber,
    )
    .option(
      "--early-stopping [never]",
      "with --beams: stop when that many completions have ended; never: only when no other can win",
      earlyStopping,
    )
    .option("--sequences <count>", "completions per prompt", positiveCount)
    .option(
      "--logprobs <count>",
      "with --json: log-probabilities of the tokens, and of this many alternatives",
      wholeNumber,
    )
    .option("--batch-size <count>", "completions to compute at a time", positiveCount)
    .option("--special-tokens", "print special tokens")
    .option("--stream", "print the completion as it is generated (default on a terminal)")
    .option("--json", "print JSON lines, one per completion");
  return command.action(async (...given: Parameters<Action>) =>
    (await import("./actions/generate.ts")).runGenerate(...given),
  );
}
