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
      .argument("<outputs>", "JSON lines or a JSON list, each row with instruction, output and perhaps input")
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
      .option("--judge <name>", "with --endpoint: its model; the only one when left out")
      .option("--api-key-env <name>", "with --endpoint: the environment variable that holds its key")
      .option("--concurrency <count>", "with --endpoint: requests at once (4)", positiveCount)
      .option("--requests-per-minute <count>", "with --endpoint: no more than these", positiveCount)
      .option("--retries <count>", "with --endpoint: after the first try (5)", wholeNumber)
      .option("--timeout <seconds>", "with --endpoint: of one try (120)", positiveCount)
      .option("--body <json>", "with --endpoint: more fields for its requests", jsonObject)
      .option("--batch-size <count>", "with --model: pairs at once (8)", positiveCount)
      .option("--seed <number>", "of the order in which answers stand", anyNumber, 0)
      .option("--limit <count>", "judge the first pairs alone", positiveCount)
      .option("--cache <file>", "where answers are kept; the user's cache folder when left out")
      .option("--no-cache", "ask about every pair, and keep nothing")
      .option("--records <file>", "write each pair with its verdict there, as JSON lines")
      .option("--json", "print the result as JSON"),
  ).action(async (...given: Parameters<Action>) => (await import("./actions/judge.ts")).run(...given));
}
