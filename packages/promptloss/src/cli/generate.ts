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
      "prompts of a file: one a line, or JSON rows with instruction, prompt or messages; - for standard input",
      collect,
      [],
    )
    .option("--stdin", "all of standard input as one prompt")
    .option("--system <text>", "what the model is told before the prompts");
  addModelOptions(command);
  addDecodingOptions(command)
    .option("--beams <count>", "search with so many beams", positiveCount)
    .option(
      "--length-penalty <number>",
      "of beams: above 0 favors long completions, below 0 short ones",
      anyNumber,
    )
    .option(
      "--early-stopping [never]",
      "of beams: stop when as many as there are have ended; never: when no other can win",
      earlyStopping,
    )
    .option("--sequences <count>", "completions a prompt", positiveCount)
    .option(
      "--logprobs <count>",
      "with --json: log-probabilities of the tokens, and of so many others",
      wholeNumber,
    )
    .option("--batch-size <count>", "completions at once", positiveCount)
    .option("--special-tokens", "write special tokens out")
    .option("--stream", "print the completion as it comes (a terminal does)")
    .option("--json", "print JSON lines, one a completion");
  return command.action(async (...given: Parameters<Action>) =>
    (await import("./actions/generate.ts")).runGenerate(...given),
  );
}
