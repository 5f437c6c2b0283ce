import type { Command } from "commander";
import { DEFAULT_LIMITS } from "../serve/limits.ts";
import { addModelOptions } from "./generation/options.ts";
import { positiveCount, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/serve.ts").serve;

function hostNames(text: string): string[] {
  return text.split(",").map((name) => name.trim());
}

export function serveCommand(command: Command): Command {
  const { bodyBytes, tokens, completions, waiting, seconds } = DEFAULT_LIMITS;
  return addModelOptions(
    command
      .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
      .option("--host <address>", "where to listen; 0.0.0.0 is open to all machines", "127.0.0.1")
      .option("--port <number>", "0 takes a free one", wholeNumber, 8000)
      .option("--name <id>", "the model's id in requests; the folder's name when left out")
      .option("--api-key-env <name>", "clients must send the key of this environment variable")
      .option("--allow-host <names>", "names that clients may call this server by, with commas", hostNames)
      .option("--max-body <bytes>", "of a request", positiveCount, bodyBytes)
      .option("--max-new-tokens <count>", "new tokens of a completion at most", positiveCount, tokens)
      .option("--max-completions <count>", "prompts times n of a request", positiveCount, completions)
      .option("--max-waiting <count>", "requests that wait while another runs", wholeNumber, waiting)
      .option("--max-seconds <count>", "from a request to its last token", positiveCount, seconds)
      .option("--grace <seconds>", "for responses at work when a signal ends the server", wholeNumber, 10),
  )
    .addHelpText("after", "\nSIGTERM and Ctrl-C end the server; a second one ends it at once.")
    .action(async (...given: Parameters<Action>) => (await import("./actions/serve.ts")).serve(...given));
}
