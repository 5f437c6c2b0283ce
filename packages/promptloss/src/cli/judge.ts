import { type Command, InvalidArgumentError, Option } from "commander";
import { PROTOCOL_NAMES } from "../evaluation/judges/protocol.ts";
import { addModelOptions } from "./generation/options.ts";
import { anyNumber, positiveCount, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/judge.ts").run;

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError("It should be a JSON object.");
}

export function judgeCommand(command: Command): Command {
  return addModelOptions(
    command
      .argument(
        "<outputs>",
        "JSON Lines or a JSON list; each row has instruction, output and optionally input",
      )
      .requiredOption("--reference <file>", "other outputs to the same instructions")
      .addOption(
        new Option("--protocol <name>", "what the judge is asked")
          .choices(PROTOCOL_NAMES)
          .makeOptionMandatory(),
      )
      .option(
        "--endpoint <url>",
        "a judge behind an OpenAI-compatible address, such as http://127.0.0.1:8000/v1",
      )
      .option("--model <folder>", "a judge that runs here")
      .option("--judge <name>", "with --endpoint: the model there (default: its only one)")
      .option("--api-key-env <name>", "with --endpoint: the environment variable that holds its key")
      .option("--concurrency <count>", "with --endpoint: requests at a time (default: 4)", positiveCount)
      .option("--requests-per-minute <count>", "with --endpoint: a limit on requests", positiveCount)
      .option("--retries <count>", "with --endpoint: retries after the first try (default: 5)", wholeNumber)
      .option("--timeout <seconds>", "with --endpoint: the limit of one try (default: 120)", positiveCount)
      .option("--body <json>", "with --endpoint: more fields for every request", jsonObject)
      .option("--batch-size <count>", "with --model: pairs at a time (default: 8)", positiveCount)
      .option("--seed <number>", "seed of the order in which the two outputs stand", anyNumber, 0)
      .option("--limit <count>", "judge only the first pairs", positiveCount)
      .option(
        "--cache <file>",
        "the file that keeps the judge's replies (default: in the user's cache folder)",
      )
      .option("--no-cache", "ask about every pair, and keep no replies")
      .option("--records <file>", "write each pair with its verdict to this file, as JSON Lines")
      .option("--json", "print the result as JSON"),
  ).action(async (...given: Parameters<Action>) => (await import("./actions/judge.ts")).run(...given));
}
